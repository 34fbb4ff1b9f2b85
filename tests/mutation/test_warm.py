"""Functions whose code a fault has changed, found by their places, and the lines on which that is possible."""

from tests.mutation.warm import changed_code, function_lines

TEXT = '''
LIMIT = 5

def outer(size=1):
    """Docstring."""
    def inner():
        return 1
    return inner

class Box:
    side = 2

    @property
    def size(self):
        return 3

    @size.setter
    def size(self, value):
        self.side = value
'''


def test_each_function_gets_its_new_code() -> None:
    """Inner functions, and a property and its setter, which have one name."""
    after = TEXT.replace("return 3", "return 4").replace("self.side = value", "pass").replace("return 1", "return 2")
    changed = changed_code(TEXT, after)
    assert [name for name, _ in changed] == ["outer", "outer.<locals>.inner", "Box.size", "Box.size"]
    assert [code.co_consts for code in changed.values()][1:3] == [(None, 2), (None, 4)]
    assert "side" not in [code.co_names for code in changed.values()][3]
    assert {name: line for name, line in changed if name != "Box.size"} == {"outer": 4, "outer.<locals>.inner": 6}


def test_bodies_of_functions_are_what_can_be_replaced() -> None:
    """Defaults, fields and constants have been worked out when the module was imported."""
    lines = TEXT.splitlines()
    found = {lines[number - 1].strip() for number in function_lines(TEXT)}
    assert {"return 1", "return inner", "return 3", "self.side = value"} <= found
    assert not {"LIMIT = 5", "def outer(size=1):", "side = 2", "@property"} & found
