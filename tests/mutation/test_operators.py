"""The faults that the operators make of a text, and how samples, equivalents and kill rates are counted."""

import ast
from pathlib import Path

import pytest

from tests.mutation.javascript_operators import javascript_mutants
from tests.mutation.mutant import Mutant, sample
from tests.mutation.outcome import Equivalents, Result, rates, survivors, table
from tests.mutation.python_operators import module_lines, python_mutants
from tests.mutation.workshop import imported_modules

PYTHON = [
    ("x = a < b", {"x = a >= b", "x = a <= b"}),
    ("x = a >= b", {"x = a < b", "x = a > b"}),
    ("x = a == b", {"x = a != b"}),
    ("x = a is not None", {"x = a is None"}),
    ("x = (a) not in (b)", {"x = (a) in (b)"}),
    ("x = a < b < c", {"x = a >= b < c", "x = a <= b < c", "x = a < b >= c", "x = a < b <= c"}),
    ("x = a and b", {"x = a or b"}),
    ("x = not a", {"x = a"}),
    ("x = not (y := z)", {"x = (y := z)"}),
    ("x = a * b", {"x = a / b"}),
    ("x = a // b", {"x = a * b"}),
    ("x += y", {"x -= y", "pass"}),
    ("x = 7", {"x = 8"}),
    ("x = True", {"x = False"}),
    ("x = y if z else w", {"x = y if not (z) else w"}),
    ("self.x = y", {"pass"}),
    ("f(y)", {"pass"}),
    ("del x[y]", {"pass"}),
    ("raise x", {"pass"}),
    ("for x in y:\n    break", {"for x in y:\n    pass"}),
    ("def f():\n    return x", {"def f():\n    return None"}),
    ("if x:\n    y = z", {"if not (x):\n    y = z"}),
    ("try:\n    x = y\nexcept E:\n    x = z\n    y = w", {"try:\n    x = y\nexcept E:\n    pass"}),
    ("é = 'ü' < b  # ö", {"é = 'ü' >= b  # ö", "é = 'ü' <= b  # ö"}),
]
LEFT = [
    '"""A docstring."""',
    "x = y",
    "x: Literal[1]",
    "log.info('%d', 1)",
    "self._log.warning('x' * 3)",
    "def f(x: Literal[1]) -> Literal[2]: ...",
    "@dataclass(frozen=True)\nclass A:\n    x: int",
    "if TYPE_CHECKING:\n    import x",
    "def f():\n    return None",
    "def f():\n    return",
    "from x import y",
]
JAVASCRIPT = [
    ("x = a === b;", {"x = a !== b;"}),
    ("x = a < b;", {"x = a >= b;", "x = a <= b;"}),
    ("x = a && b;", {"x = a || b;"}),
    ("x = a + b;", {"x = a - b;"}),
    ("x = !a;", {"x = a;"}),
    ("x = 7;", {"x = 8;"}),
    ("x = true;", {"x = false;"}),
    ("  return x;", {"  return;"}),
    ("if (f(a) || b) c;", {"if (!(f(a) || b)) c;", "if (f(a) && b) c;"}),
    ("  this.x(y);", {"  ;"}),
    ("  x.y = z;", {"  ;"}),
]
LEFT_IN_JAVASCRIPT = ["// a < b", "/* a && b */", 'x = "a < 7";', "x = `a < 7`;", "x = y.match(/a < 7/);", "f((x) => {"]


@pytest.mark.parametrize(("text", "expected"), PYTHON, ids=[text for text, _ in PYTHON])
def test_python_faults(text: str, expected: set[str]) -> None:
    """Each operator makes exactly the faults of the table, and each of them is a Python program."""
    found = {mutant.apply(text) for mutant in python_mutants("x.py", text)}
    assert found == expected
    for mutated in found:
        ast.parse(mutated)


@pytest.mark.parametrize("text", LEFT)
def test_python_that_is_left_alone(text: str) -> None:
    """Documentation, annotations, decorators, imports and log calls give no mutants."""
    assert python_mutants("x.py", text) == []


@pytest.mark.parametrize(("text", "expected"), JAVASCRIPT, ids=[text for text, _ in JAVASCRIPT])
def test_javascript_faults(text: str, expected: set[str]) -> None:
    """Each operator makes exactly the faults of the table."""
    assert {mutant.apply(text) for mutant in javascript_mutants("x.js", text)} == expected


@pytest.mark.parametrize("text", LEFT_IN_JAVASCRIPT)
def test_javascript_that_is_left_alone(text: str) -> None:
    """Comments, strings, templates and regular expressions give no mutants."""
    assert javascript_mutants("x.js", text) == []


def test_a_sample_depends_on_its_seed_alone() -> None:
    """The same seed draws the same mutants, another seed draws others; a small file gives all that it has."""
    found = python_mutants("x.py", "\n".join(f"x = {number}" for number in range(50)))
    assert sample(found, 10, 1) == sample(found, 10, 1)
    assert sample(found, 10, 1) != sample(found, 10, 2)
    assert sample(found, 100, 1) == found


def test_lines_that_run_at_import() -> None:
    """Statements outside functions run at import, those in a class too."""
    text = "A = (\n    1,\n)\n\n\nclass B:\n    c = 2\n\n    def d(self):\n        return 3\n"
    assert sorted(module_lines(text)) == [1, 2, 3, 7]


def test_kill_rates() -> None:
    """A hung run counts as killed, a line that no test runs as survived, and equivalents are left out of the rate."""
    text = "x = 1\n"
    (mutant,) = python_mutants("journal/x.py", text)
    results = [Result(mutant, outcome, "x = 1", "x = 2") for outcome in ("killed", "hung", "equivalent", "untested")]
    rate = rates(results)["journal/x.py"]
    assert (rate.mutants, rate.killed, rate.equivalent, rate.survived) == (4, 2, 1, 1)
    assert round(rate.percent(), 1) == 66.7
    assert "| **journal** | 4 | 2 | 1 | 1 | 67 % |" in table(results)
    assert survivors(results).splitlines() == ["journal/x.py:1  constant, 0 tests", "    - x = 1", "    + x = 2"]


def test_an_equivalent_is_found_by_its_lines_wherever_they_stand() -> None:
    """The reason of an equivalent is found by the file and the changed lines, not by the line's number."""
    equivalents = Equivalents([{"file": "x.py", "before": "x = 1", "after": "x = 2", "reason": "never read"}])
    text = "\n\n    x   = 1\n"
    (mutant,) = python_mutants("x.py", "\n\nif y:\n    x = 1\n")[1:]
    assert mutant.change("\n\nif y:\n    x = 1\n") == ("x = 1", "x = 2")
    assert Mutant("x.py", 3, "constant", 12, 13, "2").change(text) == ("x = 1", "x = 2")
    assert equivalents.reason("x.py", "x = 1", "x = 2") == "never read"
    assert equivalents.reason("x.py", "x = 1", "x = 3") is None


def test_modules_that_a_test_file_imports(tmp_path: Path) -> None:
    """A test file is run for the modules that it imports directly or through others."""
    (tmp_path / "a.js").write_text('import { b } from "./b.js";\n')
    (tmp_path / "b.js").write_text('const c = await import("./c.js");\n')
    (tmp_path / "c.js").write_text("")
    (tmp_path / "d.js").write_text("")
    test = tmp_path / "x.test.mjs"
    test.write_text('import { a } from "./a.js";\nimport fs from "node:fs";\n')
    assert imported_modules(test) == {tmp_path / "a.js", tmp_path / "b.js", tmp_path / "c.js"}
