"""Mutants of a JavaScript file, by patterns over its text without comments, strings and regular expressions."""

import re
from collections.abc import Iterator

from tests.mutation.mutant import Mutant

HIDDEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`"""
    r"""|(?<=[(,=:\[!&|?{};])\s*/(?![*/])(?:\\.|\[[^\]\n]*\]|[^/\\\n])+/[a-z]*""",
    re.DOTALL,
)
SWAPS: tuple[tuple[str, str, str], ...] = (
    ("comparison", r"===", "!=="),
    ("comparison", r"!==", "==="),
    ("comparison", r"(?<= )<(?= )", ">="),
    ("comparison", r"(?<= )>(?= )", "<="),
    ("comparison", r"(?<= )<=(?= )", ">"),
    ("comparison", r"(?<= )>=(?= )", "<"),
    ("boundary", r"(?<= )<(?= )", "<="),
    ("boundary", r"(?<= )>(?= )", ">="),
    ("boundary", r"(?<= )<=(?= )", "<"),
    ("boundary", r"(?<= )>=(?= )", ">"),
    ("boolean", r"&&", "||"),
    ("boolean", r"\|\|", "&&"),
    ("arithmetic", r"(?<= )\+(?= )", "-"),
    ("arithmetic", r"(?<= )-(?= )", "+"),
    ("arithmetic", r"(?<= )\*(?= )", "/"),
    ("arithmetic", r"(?<= )/(?= )", "*"),
    ("arithmetic", r"\+=", "-="),
    ("arithmetic", r"-=", "+="),
    ("negation", r"(?<=[\s(])!(?=[\w(])", ""),
    ("constant", r"\btrue\b", "false"),
    ("constant", r"\bfalse\b", "true"),
)
NUMBER = re.compile(r"(?<![\w.#$])\d+(?![\w.])")
RETURNED = re.compile(r"\breturn [^;{}\n]+;")
CONDITION = re.compile(r"\bif \(")
STATEMENT = re.compile(r"^[ \t]+((?:await )?(?:this|[a-z]\w*)[\w.#]*(?:\([^\n]*\)| \+?-?= [^\n]*);)$", re.MULTILINE)


def javascript_mutants(file: str, text: str) -> list[Mutant]:
    """Return every mutant of a file's text, in the order of the text."""
    code = HIDDEN.sub(lambda match: re.sub(r"[^\n]", "_", match[0]), text)
    found = [
        Mutant(file, text.count("\n", 0, start) + 1, operator, start, end, replacement)
        for operator, start, end, replacement in _replacements(code, text)
    ]
    return sorted(set(found), key=lambda mutant: (mutant.start, mutant.end, mutant.replacement))


def _replacements(code: str, text: str) -> Iterator[tuple[str, int, int, str]]:
    for operator, pattern, replacement in SWAPS:
        for match in re.finditer(pattern, code):
            yield operator, match.start(), match.end(), replacement
    for match in NUMBER.finditer(code):
        yield "constant", match.start(), match.end(), str(int(match[0]) + 1)
    for match in RETURNED.finditer(code):
        yield "return", match.start(), match.end(), "return;"
    for match in CONDITION.finditer(code):
        end = _closing(code, match.end())
        yield "branch", match.end(), end, f"!({text[match.end() : end]})"
    for match in STATEMENT.finditer(code):
        if code.count("(", *match.span(1)) == code.count(")", *match.span(1)) and "{" not in match[1]:
            yield "statement", match.start(1), match.end(1), ";"


def _closing(code: str, start: int) -> int:
    """Return the offset of the parenthesis that closes the one before start."""
    depth = 1
    for offset in range(start, len(code)):
        depth += {"(": 1, ")": -1}.get(code[offset], 0)
        if depth == 0:
            return offset
    return len(code)
