"""Text of other programs, made safe for a terminal and for one line of a log."""


def printable(text: str, most: int = 500) -> str:
    """Return the text on one line, at most so many characters; control characters and line breaks become spaces."""
    return " ".join("".join(each if each.isprintable() else " " for each in text[: 4 * most]).split())[:most]
