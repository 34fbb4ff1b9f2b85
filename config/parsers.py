"""Readers of a setting's text. Each returns the value, or raises ValueError with a description of what is expected."""

import ipaddress
import re
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from starlette.datastructures import Secret

from kalshi.environments import is_loopback

T = TypeVar("T")
PRODUCTION: Final = "https://external-api.kalshi.com/trade-api/v2"
_TOKEN: Final = r"[\x21-\x7e]{16,}"
_TOKEN_FORM: Final = "at least 16 printable ASCII characters without spaces"
_HOST: Final = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9_.\-]{0,252}[a-z0-9])?")


def checked(
    pattern: str, convert: Callable[[str], T], expected: str, is_good: Callable[[T], bool] = lambda value: True
) -> Callable[[str], T]:
    """Return a reader of text that matches the whole pattern and whose value is good."""

    def parse(value: str) -> T:
        if not re.fullmatch(pattern, value) or not is_good(found := convert(value)):
            raise ValueError(expected)
        return found

    return parse


def matching(pattern: str, expected: str) -> Callable[[str], str]:
    """Return a reader of text that matches the whole pattern."""
    return checked(pattern, str, expected)


def choice(*allowed: str) -> Callable[[str], str]:
    """Return a reader of one of these words."""
    return matching("|".join(allowed), f"one of {', '.join(allowed)}")


def integer(low: int, high: int) -> Callable[[str], int]:
    """Return a reader of integers from low to high."""
    return checked(r"[0-9]{1,9}", int, f"an integer from {low} to {high}", lambda value: low <= value <= high)


def number(low: float, high: float, unit: str = "a number") -> Callable[[str], float]:
    """Return a reader of numbers from low to high, with at most six decimals."""
    expected = f"{unit} from {low:g} to {high:g}"
    return checked(r"[0-9]{1,9}(\.[0-9]{1,6})?", float, expected, lambda value: low <= value <= high)


def positive(high: int) -> Callable[[str], Decimal]:
    """Return a reader of decimal numbers above 0 and at most high."""
    expected = f"a number above 0, at most {high}"
    return checked(r"[0-9]{1,12}(\.[0-9]{1,6})?", Decimal, expected, lambda value: 0 < value <= high)


host_name: Final = matching(r"[A-Za-z0-9_.:%-]+", "a host name or an address, without scheme, port and password")


def names(value: str) -> tuple[str, ...]:
    """Return words that stand between commas."""
    return tuple(word.strip() for word in value.split(",") if word.strip())


def http_url(value: str) -> str:
    """Return an absolute URL without a slash at the end."""
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port over 65535, half an IPv6 address
        good = False
    if not good or re.search(r"[\s\x00-\x20\x7f]", value):
        raise ValueError("a URL such as http://host:port/path (http or https)")
    return value.rstrip("/")


def exchange_url(value: str) -> str:
    """Return the exchange's address: https, or http on this machine, since requests carry signatures and money."""
    try:
        found = http_url(value)
    except ValueError:
        raise ValueError("a URL such as https://host:port/path") from None
    if urlsplit(found).scheme == "http" and not is_loopback(urlsplit(found).hostname or ""):
        raise ValueError("https:// for an exchange that is not on this machine")
    return found


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


def secret_text(value: str) -> str:
    """Return a secret as it is."""
    return value


seconds = partial(number, unit="seconds")
log_level_name = choice("DEBUG", "INFO", "WARNING", "ERROR")
yes_no = checked("(?i)1|true|yes|0|false|no", lambda value: value.lower() in ("1", "true", "yes"), "yes or no")
journal = matching(
    "(sqlite|mysql)://.*[^/].*", "sqlite:///file, sqlite:////absolute/file or mysql://user@host:port/database"
)
origins = checked(
    ".*", lambda value: names(value.lower()),  # as browsers send them
    "exact origins such as https://app.example.com, comma between; no *, no path, no :80 of http, no :443 of https",
    lambda found: all(map(re.compile(r"(?!http:.*:80$|https:.*:443$)https?://[a-z0-9.\-\[\]:]+").fullmatch, found)),
)  # fmt: skip
token_text = matching(_TOKEN, _TOKEN_FORM)
secret_token = checked(_TOKEN, Secret, _TOKEN_FORM)  # not shown by repr()


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


MASKS: Final[dict[Callable[[str], Any], Callable[[object], str]]] = {
    **dict.fromkeys((Secret, secret_text, secret_token, token_text), stars),
    **dict.fromkeys((http_url, exchange_url, journal), without_password),
}
"""How to show a value that may hold a secret, by its reader."""
