"""Readers of a setting's text. Each returns the value, or raises ValueError with a description of what is expected."""

import ipaddress
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Secret

from kalshi.environments import is_loopback

TOKEN_LENGTH: Final = 16  # characters that a token has at least
_HOST: Final = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9_.\-]{0,252}[a-z0-9])?")


def text(value: str) -> str:
    """Return any text as it is."""
    return value


def choice(*allowed: str) -> Callable[[str], str]:
    """Return a reader of one of these words."""

    def parse(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"one of {', '.join(allowed)}")
        return value

    return parse


def yes_no(value: str) -> bool:
    """Return True for yes, true or 1 and False for no, false or 0."""
    if value.lower() not in ("1", "true", "yes", "0", "false", "no"):
        raise ValueError("yes or no")
    return value.lower() in ("1", "true", "yes")


def integer(low: int, high: int) -> Callable[[str], int]:
    """Return a reader of integers from low to high."""

    def parse(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", value) or not low <= int(value) <= high:
            raise ValueError(f"an integer from {low} to {high}")
        return int(value)

    return parse


def seconds(low: float, high: float) -> Callable[[str], float]:
    """Return a reader of seconds from low to high, with at most six decimals."""

    return number(low, high, "seconds")


def number(low: float, high: float, unit: str = "a number") -> Callable[[str], float]:
    """Return a reader of numbers from low to high, with at most six decimals."""

    def parse(value: str) -> float:
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", value) or not low <= float(value) <= high:
            raise ValueError(f"{unit} from {low:g} to {high:g}")
        return float(value)

    return parse


def positive(high: int) -> Callable[[str], Decimal]:
    """Return a reader of decimal numbers above 0 and at most high."""

    def parse(value: str) -> Decimal:
        if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", value) or not 0 < Decimal(value) <= high:
            raise ValueError(f"a number above 0, at most {high}")
        return Decimal(value)

    return parse


def names(value: str) -> tuple[str, ...]:
    """Return words that stand between commas."""
    return tuple(word.strip() for word in value.split(",") if word.strip())


def matching(pattern: str, expected: str) -> Callable[[str], str]:
    """Return a reader of text that matches the whole pattern."""

    def parse(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(expected)
        return value

    return parse


def url(*schemes: str) -> Callable[[str], str]:
    """Return a reader of absolute URLs of these schemes; it drops a slash at the end."""

    def parse(value: str) -> str:
        try:
            parts = urlsplit(value)
            good = parts.scheme in schemes and parts.hostname and parts.port != 0
        except ValueError:  # a port over 65535, half an IPv6 address
            good = False
        if not good or re.search(r"[\s\x00-\x20\x7f]", value):
            raise ValueError(f"a URL such as {schemes[0]}://host:port/path ({' or '.join(schemes)})")
        return value.rstrip("/")

    return parse


def exchange_url(value: str) -> str:
    """Return the exchange's address: https, or http on this machine, since requests carry signatures and money."""
    found = url("https", "http")(value)
    if urlsplit(found).scheme == "http" and not is_loopback(urlsplit(found).hostname or ""):
        raise ValueError("https:// for an exchange that is not on this machine")
    return found


def journal(value: str) -> str:
    """Return the URL of a journal in SQLite or MySQL."""
    scheme, colon, rest = value.partition("://")
    if not colon or scheme not in ("sqlite", "mysql") or not rest.strip("/"):
        raise ValueError("sqlite:///file, sqlite:////absolute/file or mysql://user@host:port/database")
    return value


def readable_file(value: str) -> Path:
    """Return the path of a file that exists and can be read."""
    path = Path(value).expanduser()
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise ValueError(f"a file that can be read ({error.strerror})") from None


def readable_file_name(value: str) -> str:
    """Return the path of a file that exists and can be read, as text."""
    return str(readable_file(value))


def origins(value: str) -> tuple[str, ...]:
    """Return exact origins that stand between commas."""
    found = names(value)
    for origin in found:
        if not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+", origin):
            raise ValueError("exact origins such as https://app.example.com, comma between; no * and no path")
    return found


def hosts(value: str) -> tuple[str, ...]:
    """Return host names or addresses that stand between commas, in lower case; *.name stands for its subdomains."""
    found = tuple(name.lower() for name in names(value))
    for host in found:
        if not _HOST.fullmatch(host) and not _is_address(host.strip("[]")):
            raise ValueError("host names without port such as app.example.com or *.example.com, comma between")
    return tuple(host.strip("[]") for host in found)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def token(value: str) -> str:
    """Return a token that a header can carry."""
    if len(value) < TOKEN_LENGTH or not re.fullmatch(r"[\x21-\x7e]*", value):
        raise ValueError(f"at least {TOKEN_LENGTH} printable ASCII characters without spaces")
    return value


def secret_token(value: str) -> Secret:
    """Return a token that is not shown by repr()."""
    return Secret(token(value))


def stars(value: object) -> str:
    """Return stars in place of a secret."""
    return "***"


def without_password(url: object) -> str:
    """Return a URL without what may be a secret: user information and the values of its query; malformed ones too."""
    shown = re.sub(r"=[^&#]*", "=***", str(url)) if "?" in str(url) else str(url)
    # Up to the last @: a password that is not quoted may hold @, : and / itself.
    credentials, at, rest = shown.rpartition("@")
    if not at:
        plain = re.fullmatch(r"([a-z]+://)?[\w.\-]*(\[[\w:]*)?\]?(:\d+)?([/?#][^@:]*)?", shown)
        return shown if plain else "***"
    scheme = re.match(r"([a-z]+://)([^:/@]*:)?", credentials)
    if scheme is None:
        return f"***@{rest}"
    return f"{scheme[1]}{scheme[2] or ''}***@{rest}"
