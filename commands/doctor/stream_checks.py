"""Checks of streams: they arrive at once, unchanged, for long enough, and leave room for other requests."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from commands.doctor.findings import Diagnosis, note, well, wrong
from commands.doctor.probe import ProbedPage, ProbedStream
from streams.event import PING

PROMPT: Final = 2.0  # seconds within which the first bytes come
BYES: Final = {
    "full": "MAX_STREAMS is reached",
    "age": "MAX_STREAM_AGE or the login's end",
    "shutdown": "the service was stopped while we looked",
    "slow": "we read too slowly",
    "away": "its journal cannot be read",
}


@dataclass(frozen=True, slots=True)
class Crowd:
    """Many streams opened at once, and the answer to a plain request meanwhile."""

    probed: Sequence[ProbedStream]
    rest: ProbedPage


def streams(probed: Mapping[str, ProbedStream], seconds: float, starved: bool) -> Iterator[Diagnosis]:
    """A finding for each kind of fault, or for each stream that has none. starved: plain requests got nothing either.

    seconds: for how long was listened; at least the 15 within which something comes.
    """
    faults: dict[str, tuple[Diagnosis, list[str]]] = {}
    for name, one in probed.items():
        fault = _fault(one, seconds)
        if fault is None:
            yield well(
                f"/sse/{name}", f"first bytes after {one.pieces[0][0] * 1000:.0f} ms, {_count(one)} in {seconds:g} s"
            )
        elif not (starved and not one.status):  # then it is the threads that lack, and nothing is held back
            faults.setdefault(fault.name, (fault, []))[1].append(f"/sse/{name}")
    for fault, names in faults.values():
        yield Diagnosis(fault.name, fault.level, f"{' '.join(names)}: {fault.words}", fault.has_cure)


def _count(one: ProbedStream) -> str:
    return f"{one.text.count(b'event: ')} events and {one.text.count(PING)} pings"


def _fault(one: ProbedStream, seconds: float) -> Diagnosis | None:
    kind, encoding = one.headers.get("content-type", ""), one.headers.get("content-encoding", "identity")
    first = one.pieces[0][0] if one.pieces else None
    if not one.status and one.ended is not None:
        return wrong("stream refused", one.why)
    if one.limited:
        return note("rate limit", f"refused by a rate limit with HTTP {one.status}")
    if one.status and (one.status != 200 or not kind.startswith("text/event-stream")):
        return wrong("stream refused", f"HTTP {one.status} {kind}")
    if encoding != "identity":
        return wrong("compression", f"compressed ({encoding}): bytes only, for a reader that cannot inflate")
    if first is None and one.ended is None:
        return wrong("buffering", f"nothing came in {seconds:g} s: something on the way collects it")
    if first is not None and first > PROMPT:
        return wrong("buffering", f"the first bytes came after {first:.1f} s: something on the way collects them")
    if one.ended is not None:
        return _end(one, one.ended)
    if one.pieces[-1][0] < one.pieces[0][0] + 1:
        return wrong("buffering", f"after the first bytes nothing came in {seconds:g} s, and a ping is due every 15 s")
    return None


def _end(one: ProbedStream, ended: float) -> Diagnosis:
    if one.bye and one.greeted:
        return note("ended", f"ended by the service after {ended:.1f} s: {BYES.get(one.bye, one.bye)}")
    if not one.greeted:
        return wrong("standby", "the proxy's standby answers: it has no service, or no room for a stream")
    silent = ended - one.pieces[-1][0]
    if silent < 1:
        return wrong("broken off", f"broken off after {ended:.1f} s: {one.why or 'without a bye'}")
    return wrong("idle cut", f"cut after {silent:.1f} s of silence, before the next ping")


def crowd(many: Crowd, prompt: bool) -> Diagnosis:
    """Check that many streams do not starve other requests. prompt: single streams arrive as they should."""
    count, rest = len(many.probed), many.rest
    began = [one for one in many.probed if one.status == 200 and one.greeted]
    refused = sorted({one.status for one in many.probed} - {0, 200, 429})
    ended = [one for one in many.probed if one.status == 200 and one.ended is not None]
    away = sum(not one.greeted and not one.limited for one in ended)
    if refused:
        return wrong("stream refused", f"of {count} streams at once some get HTTP {refused[0]}: EventSource gives up")
    if rest.status == 0:
        return wrong("threads", f"with {count} streams open a plain request gets nothing: {rest.text}")
    if prompt and away:
        return note("stream limit", f"of {count} streams at once {away} were told to come back later by the proxy")
    if any(one.bye == "full" for one in many.probed):
        return note("stream limit", f"MAX_STREAMS is reached with {len(began)} of {count} streams more")
    if rest.status == 429 or any(one.limited for one in many.probed):
        return note("rate limit", f"RATE_LIMIT refused some of {count} streams at once")
    if prompt and len(began) < count:
        return wrong("threads", f"of {count} streams at once only {len(began)} begin")
    return well("threads", f"{count} streams more, and a plain answer in {rest.seconds * 1000:.0f} ms")


def standby(one: ProbedStream) -> Diagnosis:
    """Check the answer of a stream's URL while the service is away."""
    if (
        one.status == 200
        and one.headers.get("content-type", "").startswith("text/event-stream")
        and b"retry:" in one.text
    ):
        return well("standby", "streams are told to come back: browsers survive this")
    if one.status in (0, 200):
        return note("standby", f"not judged: {one.why or 'a stream came, or nothing'}")
    return wrong("stream refused", f"streams get HTTP {one.status} meanwhile: a browser gives up on that for ever")
