"""Mutants of a Python file, from its syntax tree."""

import ast
import re
from collections.abc import Iterator

from tests.mutation.mutant import Mutant

FLIPPED: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", ">="),
    ast.LtE: ("<=", ">"),
    ast.Gt: (">", "<="),
    ast.GtE: (">=", "<"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: (r"is\s+not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: (r"not\s+in", "in"),
}
BOUNDARIES: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
}
ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: (r"\+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: (r"\*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"),
}
LOGGERS = {"log", "_log", "logger", "logging"}
# Keywords that change no result: they only guard against a mistake, or shape a traceback or a repr.
INERT_KEYWORDS = {"strict", "stacklevel", "exc_info", "repr", "slots", "kw_only", "frozen", "daemon", "init"}


def python_mutants(file: str, text: str) -> list[Mutant]:
    """Return every mutant of a file's text, in the order of the text. Log calls and annotations are not changed."""
    found = _Finder(file, text)
    found.visit(ast.parse(text))
    return sorted(found.mutants, key=lambda mutant: (mutant.start, mutant.end, mutant.operator))


class _Finder(ast.NodeVisitor):
    """Collect the mutants of one file. State: the mutants so far."""

    def __init__(self, file: str, text: str) -> None:
        self.mutants: list[Mutant] = []
        self._file = file
        self._text = text
        self._starts = [0]  # the offset in characters of each line
        for line in text.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def visit_Compare(self, node: ast.Compare) -> None:
        """Flip each comparison, and move its boundary."""
        sides = [node.left, *node.comparators]
        for operator, left, right in zip(node.ops, sides, sides[1:], strict=False):
            self._swap("comparison", left, right, FLIPPED[type(operator)])
            if type(operator) in BOUNDARIES:
                self._swap("boundary", left, right, BOUNDARIES[type(operator)])
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        """Exchange and with or."""
        swap = (r"\band\b", "or") if isinstance(node.op, ast.And) else (r"\bor\b", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            self._swap("boolean", left, right, swap)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        """Drop a not."""
        if isinstance(node.op, ast.Not):
            start = self._start(node)  # the operand begins after its parentheses, which stay
            self._add("negation", start, start + len("not "), "")
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        """Exchange plus with minus, times with divided by."""
        if type(node.op) in ARITHMETIC:
            self._swap("arithmetic", node.left, node.right, ARITHMETIC[type(node.op)])
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        """Exchange += with -=, and drop the statement."""
        if isinstance(node.op, ast.Add | ast.Sub):
            swap = (r"\+=", "-=") if isinstance(node.op, ast.Add) else ("-=", "+=")
            self._swap("arithmetic", node.target, node.value, swap)
        self._drop(node)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        """Exchange True with False, and add one to a number."""
        if isinstance(node.value, bool):
            self._replace("constant", node, str(not node.value))
        elif isinstance(node.value, int | float):
            self._replace("constant", node, repr(node.value + 1))

    def visit_If(self, node: ast.If) -> None:
        """Exchange the branches, unless flipping the comparison does the same."""
        if ast.unparse(node.test).endswith("TYPE_CHECKING"):
            return
        self._negate(node.test)
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        """Exchange the two values of a conditional expression."""
        self._negate(node.test)
        self.generic_visit(node)

    def visit_Return(self, node: ast.Return) -> None:
        """Drop the returned value."""
        if node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
            self._replace("return", node, "return None")
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        """Drop a statement, unless it is a docstring, an ellipsis or a log call."""
        if isinstance(node.value, ast.Constant) or _is_log_call(node.value):
            return
        self._drop(node)
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        """Drop an assignment to an attribute or an item: dropping a name's first value fails at once."""
        if any(isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets):
            self._drop(node)
        self.visit(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Visit the value and not the annotation."""
        if node.value is not None:
            self.visit(node.value)

    def visit_Raise(self, node: ast.Raise) -> None:
        """Drop a raise."""
        self._drop(node)
        self.generic_visit(node)

    def visit_Delete(self, node: ast.Delete) -> None:
        """Drop a del."""
        self._drop(node)

    def visit_Continue(self, node: ast.Continue) -> None:
        """Drop a continue."""
        self._drop(node)

    def visit_Break(self, node: ast.Break) -> None:
        """Drop a break."""
        self._drop(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        """Pass over an exception."""
        if not all(isinstance(statement, ast.Pass | ast.Raise) for statement in node.body) and len(node.body) > 1:
            self._add("exception", self._start(node.body[0]), self._end(node.body[-1]), "pass")
        for statement in node.body:
            self.visit(statement)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Visit defaults and body; annotations and decorators of a function change no result that a test sees."""
        self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        """Visit defaults and body."""
        self._function(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Visit the body and not the decorators."""
        for statement in node.body:
            self.visit(statement)

    def visit_keyword(self, node: ast.keyword) -> None:
        """Visit the value unless the keyword changes no result."""
        if node.arg not in INERT_KEYWORDS:
            self.visit(node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Leave the inside of a formatted text: before Python 3.12 its positions are not given."""

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for default in [*node.args.defaults, *node.args.kw_defaults]:
            if default is not None:
                self.visit(default)
        for statement in node.body:
            self.visit(statement)

    def _negate(self, test: ast.expr) -> None:
        single = isinstance(test, ast.Compare) and len(test.ops) == 1
        if not single and not (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)):
            start, end = self._start(test), self._end(test)
            self._add("branch", start, end, f"not ({self._text[start:end]})")

    def _drop(self, statement: ast.stmt) -> None:
        self._replace("statement", statement, "pass")

    def _replace(self, operator: str, node: ast.expr | ast.stmt, replacement: str) -> None:
        self._add(operator, self._start(node), self._end(node), replacement)

    def _swap(self, operator: str, left: ast.expr, right: ast.expr, swap: tuple[str, str]) -> None:
        """Replace the operator's sign in the text between two operands."""
        start, end = self._end(left), self._start(right)
        sign = re.search(swap[0], self._text[start:end])
        if sign is not None:
            self._add(operator, start + sign.start(), start + sign.end(), swap[1])

    def _add(self, operator: str, start: int, end: int, replacement: str) -> None:
        line = self._text.count("\n", 0, start) + 1
        self.mutants.append(Mutant(self._file, line, operator, start, end, replacement))

    def _start(self, node: ast.expr | ast.stmt) -> int:
        return self._offset(node.lineno, node.col_offset)

    def _end(self, node: ast.expr | ast.stmt) -> int:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._offset(node.end_lineno, node.end_col_offset)

    def _offset(self, line: int, column: int) -> int:
        """Return the offset in characters of a line and a column, which counts bytes."""
        begin = self._starts[line - 1]
        return begin + len(self._text[begin : self._starts[line]].encode()[:column].decode())


def _is_log_call(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and not LOGGERS.isdisjoint(re.split(r"\W+", ast.unparse(value.func)))


def module_lines(text: str) -> Iterator[int]:
    """The lines of statements that run at import and are in no function."""
    for node in _outside_functions(ast.parse(text)):
        if isinstance(node, ast.stmt):
            yield from range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _outside_functions(tree: ast.Module | ast.ClassDef) -> Iterator[ast.AST]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from _outside_functions(node)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
