"""Functions whose code a fault has changed, found by their places, and the faults for which that is possible."""

import pytest

from tests.mutation.warm import changed_code, is_in_function

TEXT = '''
LIMIT = 5

def outer(size=1):
    """Docstring."""
    def inner():
        return 1
    return inner

class Box:
    side = 2
    turned = (lambda value: value)(7)

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
    names = ["outer", "outer.<locals>.inner", "Box.<lambda>", "Box.size", "Box.size"]
    assert [name for name, _ in changed] == names
    codes = list(changed.values())
    assert (2 in codes[1].co_consts, 4 in codes[3].co_consts, "side" in codes[4].co_names) == (True, True, False)
    assert list(changed)[:2] == [("outer", 4), ("outer.<locals>.inner", 6)]


@pytest.mark.parametrize(
    ("old", "new", "inside"),
    [("return 3", "return 4", True), ("return 1", "pass", True), ("value: value", "value: not value", True),
     ("LIMIT = 5", "LIMIT = 6", False), ("side = 2", "side = True", False), ("size=1", "size=2", False),
     ("(7)", "(8)", False)],
)  # fmt: skip
def test_functions_are_what_can_be_replaced(old: str, new: str, inside: bool) -> None:
    """Also a lambda in a class; defaults, fields and constants have been worked out when the module was imported."""
    assert is_in_function(TEXT, TEXT.replace(old, new)) is inside
