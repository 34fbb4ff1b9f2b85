"""The attacks: each sends what a hostile client would send, and returns what did not hold; empty if all held."""

import asyncio
import contextlib
import json
import random
import resource
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.attack.honest import Target

SECRETS = (b"Traceback", b'File "')
NAMES = ["limit", "cursor", "after", "before", "since", "until", "ticker", "status", "tickers", "last_event_id"]


@dataclass(frozen=True, slots=True)
class Attack:
    """promise: what must hold, in one sentence. run: returns what did not hold."""

    name: str
    promise: str
    run: Callable[[Target], Awaitable[str]]


async def send(target: Target, data: bytes, wait: float = 10.0, rest: bytes = b"") -> bytes:
    """Send bytes and return everything until the server closes, at most for some seconds."""
    answer = b""
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(wait):
            reader, writer = await target.connect()
            try:
                writer.write(data)
                if rest:
                    await asyncio.sleep(0.2)
                    writer.write(rest)
                while part := await reader.read(65536):
                    answer += part
            finally:
                writer.close()
    return answer


def status(answer: bytes) -> int:
    """Return the status of an answer; 0 for none."""
    words = answer.split(b" ", 2)
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0


def unexpected(answers: list[bytes], *allowed: int) -> str:
    """Return the statuses that are not allowed, and a trace of the inside if one leaked."""
    wrong = sorted({status(answer) for answer in answers} - {*allowed})
    leaked = any(secret in answer for answer in answers for secret in SECRETS)
    return (f"statuses {wrong}" if wrong else "") + (" a traceback was sent" if leaked else "")


async def rebinding(target: Target) -> str:
    """Ask under names that are not ours."""
    lines = f"Authorization: Bearer {target.token}\r\nConnection: close\r\n\r\n"
    answers = [
        await send(target, f"GET /api/python{path} HTTP/1.1\r\nHost: {host}\r\n{lines}".encode())
        for path in ("/", "/portfolio/balance", "/sse/trades", "/dashboard")
        for host in ("evil.example", f"localhost.evil.example:{target.port}", "", "a@b")
    ]
    return unexpected(answers, 0, 400, 403, 421)


async def wrong_tokens(target: Target) -> str:
    """Guess tokens, as Bearer and at the login."""
    begun = time.monotonic()
    wrong = Target(target.name, target.port, target.host, "wrong-wrong-wrong-wrong")
    body = b'{"token":"guess"}'
    login = b"POST /api/python/session HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
    request = login % (target.host.encode(), len(body)) + b"Connection: close\r\n\r\n" + body
    bearer = wrong.head("/health", "GET", "Connection: close")
    answers = await asyncio.gather(*(send(target, data) for data in [request, bearer] * 150))
    one_after_another = [await send(target, bearer) for _ in range(2)]
    slow = time.monotonic() - begun >= 2
    return unexpected([*answers, *one_after_another], 0, 401, 429, 503) + ("" if slow else " guesses are not delayed")


async def idle(target: Target) -> str:
    """Open connections that send nothing, half a head, an endless head, half a body."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    begun = time.monotonic()
    half = target.head("/health")[:-2]
    endless = half[:-2] + b"\r\nX: " + b"a" * 20_000
    body = target.head("/session", "POST", "Content-Length: 1000") + b"{"
    parts = [b"", half, endless, body] * (target.idle // 4)
    answers = await asyncio.gather(*(send(target, part, wait=60) for part in parts))
    seconds = time.monotonic() - begun
    late = f" {seconds:.0f} s until all were gone" if seconds > 59 else ""
    return unexpected(answers, 0, 204, 400, 408, 413, 431) + late


async def large(target: Target) -> str:
    """Send heads with many lines, large bodies and chunks without end."""
    chunk = b"10000\r\n" + b"a" * 65536 + b"\r\n"
    close = "Connection: close"
    data = [
        target.head("/health", "GET", *["X: y"] * 500, close),
        target.head("/health", "GET", "X: " + "y" * 60_000, close),
        target.head("/web/" + "a" * 7900, "GET", close),
        target.head("/health?" + "a=1&" * 1900, "GET", close),
        target.head("/session", "POST", "Content-Length: 99999999", close) + b"a" * 100_000,
        target.head("/session", "POST", "Transfer-Encoding: chunked", close) + chunk * 20,
        target.head("/portfolio/balance", "GET", close) * 1000,
    ]
    answers = await asyncio.gather(*(send(target, each) for each in data * 10))
    return unexpected(answers, 0, 200, 400, 401, 404, 408, 411, 413, 414, 429, 431, 502, 503)


async def nested(target: Target) -> str:
    """Log in with JSON that is deep, broken or of another type."""
    anonymous = f"POST /api/python/session HTTP/1.1\r\nHost: {target.host}\r\nConnection: close\r\n"
    bodies = [b"[" * 4000, b'{"token":' * 400, b'{"token":"\\ud800"}', b'{"token":1e999}', b"\xff\xfe", b"null"]
    answers = await asyncio.gather(
        *(send(target, f"{anonymous}Content-Length: {len(body)}\r\n\r\n".encode() + body) for body in bodies * 4)
    )
    return unexpected(answers, 400, 401, 429)


async def garbage(target: Target) -> str:
    """Send random parameters, cursors, forwarded headers, methods and bytes."""
    chance = random.Random(1)
    values = ["", "-1", "9" * 400, "NaN", "%00", "%ff", "..%2f", "abcd2345-1-zzzz", "aaaaaaaa-9", "<script>", "1e400"]
    paths = ["/portfolio/fills", "/portfolio/trades/history", "/portfolio/trades/live", "/markets/", "/markets/%0a"]
    headers = ["X-Forwarded-For: \xff, ,::::,1.2.3.4.5", "X-Forwarded-Proto: javascript", "Forwarded: for=\"", "Via: x",
               "If-None-Match: W/\"" + "," * 300, "Cookie: " + "=;" * 300, "Accept: " + ",;q=x" * 200,
               "X-Request-ID: a\x7fb", "Last-Event-ID: \x7f"]  # fmt: skip
    data = [
        target.head(
            f"{chance.choice(paths)}?{chance.choice(NAMES)}={chance.choice(values)}", "GET", chance.choice(headers),
            "Connection: close",
        )
        for _ in range(150)
    ]  # fmt: skip
    data += [target.head("/health", method, "Connection: close") for method in ("PUT", "TRACE", "BREW", "OPTIONS")]
    data += [chance.randbytes(300) + b"\r\n\r\n" for _ in range(50)] + [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
    answers = [await send(target, each, wait=3) for each in data]
    return unexpected(answers, 0, 200, 400, 404, 405, 408, 421, 431, 501, 502, 503)


async def stream_flood(target: Target) -> str:
    """Open more streams than there is room for, from one network, and read none of them."""
    return await _hold([target.head("/sse/trades")] * 400, target)


async def replays(target: Target) -> str:
    """Ask for everything from the beginning on many connections that never read."""
    epoch = await _epoch(target)
    return await _hold([target.head("/sse/trades", "GET", f"Last-Event-ID: {epoch}-0")] * 60, target)


async def _epoch(target: Target) -> str:
    answer = await send(target, target.head("/portfolio/trades/live?limit=1", "GET", "Connection: close"))
    return str(json.loads(answer.partition(b"\r\n\r\n")[2])["cursor"]).partition("-")[0]


async def _hold(heads: list[bytes], target: Target, seconds: float = 5.0) -> str:
    """Send each head on a connection of its own, then keep all of them open without reading."""
    writers = []
    for head in heads:
        with contextlib.suppress(OSError):
            _, writer = await target.connect()
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            writer.write(head)
            writers.append(writer)
    await asyncio.sleep(seconds)
    for writer in writers:
        writer.transport.abort()
    return ""


def run_attack(name: str, target: Target) -> str:
    """Run one attack in an event loop of its own and return what did not hold."""
    (attack,) = (each for each in ATTACKS if each.name == name)
    return asyncio.run(_run(attack, target))


async def _run(attack: Attack, target: Target) -> str:
    return await attack.run(target)


ATTACKS = [
    Attack("rebinding", "only names of this service are answered", rebinding),
    Attack("wrong tokens", "guesses are refused and delayed", wrong_tokens),
    Attack("nested JSON", "no body is more than an answer 400", nested),
    Attack("garbage", "no request is more than an answer of its own", garbage),
    Attack("large requests", "sizes are bounded", large),
    Attack("stream flood", "one network cannot take all streams", stream_flood),
    Attack("replays", "readers that do not read delay nobody", replays),
    Attack("idle connections", "idle and half-sent requests are gone within a minute", idle),
]
