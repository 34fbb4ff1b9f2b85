"""Writes the figures of docs/speed.md and of the README from the kept results, so that they cannot say otherwise.

python -m benchmarks.page
"""

import json
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.machine import HERE

PAGE, README = HERE.parent / "docs" / "speed.md", HERE.parent / "README.md"
BEGIN, END = "<!-- begin: python -m benchmarks.page -->", "<!-- end -->"
SSE, NCHAN, NODE, LOOP = "fastapi+sse-starlette", "nchan", "node", "c loop"
BARE, CENTRIFUGO = "bare asgi", "centrifugo"
Rounds = dict[str, list[dict[str, float]]]
Row = tuple[str, str, str, str, bool]  # what, goal, figure, beside, reached


def load(name: str) -> Any:
    """Return the content of results/<name>.json."""
    return json.loads((HERE / "results" / f"{name}.json").read_text())


def mid(figures: list[dict[str, float]], key: str) -> float:
    """The median over rounds."""
    return median(one[key] for one in figures)


def ratio(one: list[dict[str, float]], other: list[dict[str, float]], key: str) -> float:
    """The median over rounds of the ratios of the same round."""
    return median(a[key] / b[key] for a, b in zip(one, other, strict=True))


def fanout() -> list[Row]:
    """Return the lines on the cost of 1 000 readers."""
    rounds: Rounds = load("fanout-1000")["rounds"]
    ours, mixed = rounds["server"], load("fanout-1000-100-bad")["rounds"]
    good, bad = mixed["server"], mixed["server with bad"]

    def beside(key: str, show: Callable[[float], str] = "{:.3g}".format) -> str:
        names = {"sse-starlette": SSE, "Node": NODE, "nchan": NCHAN, "Centrifugo": CENTRIFUGO, "C loop": LOOP}
        return ", ".join(
            f"{name} {show(mid(rounds[peer], key))}"
            for name, peer in names.items()
            if peer in rounds and mid(rounds[peer], key) >= 0.01
        )  # the C loop's readers cost it nothing

    cpu, last = mid(ours, "paced_cpu_us"), ratio(ours, rounds[SSE], "paced_last_p50")
    bursts = ratio(ours, rounds[SSE], "tight_per_second"), ratio(ours, rounds[NCHAN], "tight_per_second")
    part = ratio(ours, rounds[SSE], "paced_cpu_us"), ratio(ours, rounds[NCHAN], "paced_cpu_us")
    opened, memory = ratio(ours, rounds[BARE], "opened_per_second"), mid(ours, "kb_per_reader")
    waited = [ratio(ours, rounds[NCHAN], f"paced_last_{share}") for share in ("p50", "p99")]
    change = ratio(bad, good, "paced_cpu_us") - 1
    waits = ratio(bad, good, "paced_last_p50") - 1
    lost = sum(int(one["lost"]) for figures in (ours, bad) for one in figures)
    return [
        ("server CPU per delivery, events one by one", "0.3 of sse-starlette, 1.25 x nchan",
         f"{cpu:.3g} us, {part[0]:.2f}, {part[1]:.2f} x", beside("paced_cpu_us"),
         part[0] <= 0.3 and part[1] <= 1.25),
        ("the last reader has an event after (p50)", "1/4 of sse-starlette, 1.15 x nchan (p99 too)",
         f"{mid(ours, 'paced_last_p50'):.3g} ms, 1/{1 / last:.1f}, {waited[0]:.2f} x and {waited[1]:.2f} x",
         beside("paced_last_p50"), last <= 0.25 and max(waited) <= 1.15),
        ("bursts, thousand deliveries a second", "25 x sse-starlette, 6 x nchan",
         f"{mid(ours, 'tight_per_second') / 1000:.0f}, {bursts[0]:.0f} x and {bursts[1]:.0f} x",
         beside("tight_per_second", lambda rate: f"{rate / 1000:.3g}"), bursts[0] >= 25 and bursts[1] >= 6),
        ("memory per idle reader", "17.5 KB", f"{memory:.3g} KB", beside("kb_per_reader"), memory <= 17.5),
        ("readers accepted a second", "0.85 of a bare ASGI application",
         f"{mid(ours, 'opened_per_second'):.0f}, {opened:.2f}",
         f"bare ASGI {mid(rounds[BARE], 'opened_per_second'):.0f}, {beside('opened_per_second', '{:.0f}'.format)}",
         opened >= 0.85),
        ("100 slow or stalled among them: CPU per delivery, last good reader", "within 10 %",
         f"{change:+.0%}, {waits:+.0%}", "", abs(change) < 0.1 and waits < 0.1),
        ("events lost or sent twice, all rounds", "0", str(lost), "", lost == 0),
    ]  # fmt: skip


def rest() -> list[Row]:
    """Cached answers, and how they breathe during a fan-out."""
    servers = load("rest")["servers"]
    api, bare = servers["fastapi"]["ours_is"], servers["starlette"]["ours_is"]
    half, slow = servers["starlette"]["ours_is_half_p99_ms"], f"starlette {servers['starlette']['half_p99_ms']:.3g}"
    rounds: Rounds = load("breathe")["rounds"]
    busy = mid(rounds["server"], "busy_p99")
    rates = ", ".join(f"{name} {servers[name]['rate']:.0f}" for name in ("fastapi", "starlette"))
    return [
        ("cached answers a second", "1.9 x FastAPI, 0.9 x bare Starlette",
         f"{servers['ours']['rate']:.0f}, {api:.2f} x, {bare:.2f} x", rates, api >= 1.9 and bare >= 0.9),
        ("their p99 at half of bare Starlette's top rate", "1.2 x bare Starlette",
         f"{servers['ours']['half_p99_ms']:.3g} ms, {half:.2f} x", slow,
         half <= 1.2),
        ("REST p99 while 10 events/s go to 1 000 readers", "10 ms",
         f"{busy:.3g} ms (idle {mid(rounds['server'], 'idle_p99'):.2g})", "", busy <= 10),
    ]  # fmt: skip


def returning() -> list[Row]:
    """Return the lines on many readers that return at once."""
    rounds = load("resume")["rounds"]
    times = ratio(rounds, [{"seconds": one["alone_seconds"]} for one in rounds], "seconds")
    live, asked = mid(rounds, "live_p99_ms"), mid(rounds, "rest_p99_ms")
    return [
        ("1 000 readers return at once, 1 000 entries behind: all have them after", "2 x the bytes alone",
         f"{mid(rounds, 'seconds'):.2g} s, {times:.1f} x", f"the bytes alone {mid(rounds, 'alone_seconds'):.2g} s",
         times <= 2),
        ("p99 meanwhile: live trades, REST", "50 ms, 20 ms", f"{live:.0f} ms, {asked:.0f} ms", "",
         live < 50 and asked < 20),
    ]  # fmt: skip


def rest_of_it() -> list[Row]:
    """Replay, growth, the way of a fill, the start, idle hours."""
    replay = load("replay")["rounds"]["server"]
    many = load("growth")["rounds"]["readers 10000"]
    latency, start, idle = load("latency")["rounds"], load("start")["rounds"], load("idle")["rounds"]["server"]
    rate, pause = mid(replay, "entries_per_second"), mid(replay, "live_max_ms_beside")
    alone, grew = mid(replay, "live_max_ms_alone"), mid(replay, "grew_kb") / 1024
    ways = [mid(latency[way], "p50_ms") for way in ("bot", "push")]
    first, bare = mid(start["server"], "seconds"), mid(start["bare starlette"], "seconds")
    rss, cpu = mid(idle, "rss_mb"), mid(idle, "cpu_percent")
    return [
        ("10 000 readers on one process: p99, lost", "1 s, none",
         f"{mid(many, 'p99'):.0f} ms, {int(mid(many, 'lost'))}", "", mid(many, "p99") < 1000 and not mid(many, "lost")),
        ("replay of 100 000 entries to one reader, memory", "100 000/s", f"{rate:.0f}/s, +{grew:.1f} MB",
         "", rate >= 100_000),
        ("slowest live delivery beside a replay, without", "20 ms more", f"{pause:.0f} ms, {alone:.0f} ms", "",
         pause - alone <= 20),
        ("fill to browser: our bot, exchange push (p50)", "20 ms", f"{ways[0]:.2g} ms, {ways[1]:.2g} ms", "",
         max(ways) < 20),
        ("start to first byte", "0.6 s", f"{first:.2f} s", f"bare Starlette {bare:.2f} s",
         first < 0.6),
        ("idle with 100 streams: RSS, CPU", "70 MB, 1 %", f"{rss:.0f} MB, {cpu:.1f} %", "", rss < 70 and cpu < 1),
    ]  # fmt: skip


def table() -> str:
    """All rows, and the machine."""
    rows = [*fanout(), *rest(), *returning(), *rest_of_it()]
    lines = ["| what (1 000 readers unless said) | goal | ours | beside | reached |", "|---|---|---|---|---|"]
    for what, goal, figure, others, reached in rows:
        lines.append(f"| {what} | {goal} | {figure} | {others} | {'yes' if reached else '**no**'} |")
    machine = load("fanout-1000")["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items() if version)
    about = f"{machine['cpu']}, {machine['cores']} cores, Linux {machine['kernel']}, Python {machine['python']}"
    lines += [
        "",
        f"{about}; {packages}.",
    ]
    loads = {name: load(name)["machine"]["load"] for name in ("fanout-1000", "resume", "rest", "replay")}
    lines.append(
        "Load average of the machine at the end of a run: " + ", ".join(f"{k} {v:.1f}" for k, v in loads.items()) + "."
    )
    kept = {name: load(name)["rounds"] for name in ("breathe", "latency", "replay", "start", "idle")}
    counts = ", ".join(f"{name} {len(next(iter(rounds.values())))}" for name, rounds in kept.items())
    fanned, many = load("fanout-1000")["rounds"]["server"], load("growth")["rounds"]["readers 10000"]
    lines.append(f"Rounds: fanout {len(fanned)}, rest {load('rest')['rounds']}, {counts}, 10 000 readers {len(many)}.")
    return "\n".join(lines)


def headlines() -> str:
    """Return the lines of the README: ratios of the same round, which stand on a busy machine too."""
    rounds: Rounds = load("fanout-1000")["rounds"]
    ours, latency = rounds["server"], load("latency")["rounds"]
    many = load("growth")["rounds"]["readers 10000"]
    share, beside = ratio(rounds[SSE], ours, "paced_cpu_us"), ratio(ours, rounds[NCHAN], "paced_cpu_us")
    return "\n".join(
        [
            f"* one event to 1 000 readers: 1/{share:.1f} of the CPU of {SSE}, {beside:.2g} times {NCHAN}'s",
            f"* 10 000 readers on one process: none loses an event, p99 {mid(many, 'p99'):.0f} ms",
            f"* {mid(ours, 'kb_per_reader'):.3g} KB of memory for a reader",
            f"* from fill to browser: {mid(latency['bot'], 'p50_ms'):.2g} ms by our bot,"
            f" {mid(latency['push'], 'p50_ms'):.2g} ms by the exchange's push",
        ]
    )


def put(page: Path, made: str) -> None:
    """Put it between the page's marks."""
    text = page.read_text()
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    page.write_text(f"{before}{BEGIN}\n{made}\n{END}{after}")


def main() -> None:
    """Write both."""
    put(PAGE, table())
    put(README, headlines())
    print(table())


if __name__ == "__main__":
    main()
