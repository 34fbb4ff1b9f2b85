"""What a setting's text may be, and how it is shown: a reader gives the value, or ValueError says what is allowed."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit


def text(value: str) -> str:
    """Any text."""
    return value


def choice(*allowed: str) -> Callable[[str], str]:
    """One of these words."""

    def parse(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"one of {', '.join(allowed)}")
        return value

    return parse


def whole(low: int, high: int) -> Callable[[str], int]:
    """A whole number between these, both included."""

    def parse(value: str) -> int:
        if not re.fullmatch(r"\d{1,9}", value) or not low <= int(value) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(value)

    return parse


def seconds(low: float, high: float) -> Callable[[str], float]:
    """Seconds between these, both included, at most to the microsecond."""

    def parse(value: str) -> float:
        if not re.fullmatch(r"\d{1,9}(\.\d{1,6})?", value) or not low <= float(value) <= high:
            raise ValueError(f"seconds from {low:g} to {high:g}")
        return float(value)

    return parse


def url(*schemes: str) -> Callable[[str], str]:
    """An absolute URL of one of these schemes, without a slash at its end."""

    def parse(value: str) -> str:
        try:
            parts = urlsplit(value)
            good = parts.scheme in schemes and parts.hostname and parts.port != 0
        except ValueError:  # a port over 65535, half an IPv6 address
            good = False
        if not good:
            raise ValueError(f"a URL such as {schemes[0]}://host:port/path ({' or '.join(schemes)})")
        return value.rstrip("/")

    return parse


def journal(value: str) -> str:
    """Where a journal may be."""
    scheme, colon, rest = value.partition("://")
    if not colon or scheme not in ("sqlite", "mysql") or not rest.strip("/"):
        raise ValueError("sqlite:///file, sqlite:////absolute/file or mysql://user@host:port/database")
    return value


def file(value: str) -> Path:
    """A file that is there and may be read."""
    path = Path(value).expanduser()
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise ValueError(f"a file that can be read ({error.strerror})") from None


def origins(value: str) -> tuple[str, ...]:
    """Exact origins, with commas between."""
    named = tuple(item.strip() for item in value.split(",") if item.strip())
    for origin in named:
        if not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+", origin):
            raise ValueError("exact origins such as https://app.example.com, comma between; no * and no path")
    return named


def stars(value: object) -> str:
    """Nothing of it."""
    return "***"


def without_password(url: object) -> str:
    """A URL without the password in it."""
    # Up to the last @ that can be its end: a password that was not quoted may hold @, : and / itself.
    return re.sub(r"(?<=://)([^:@/]*):.*@", r"\1:***@", str(url))
