"""A run as one table for the terminal and one page that needs nothing else."""

import html
from pathlib import Path

from tests.faults.result import Result

FOLDER = Path("reports")
SHOWN = 12  # findings that the terminal shows; the page has all
STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1d21}
table{border-collapse:collapse;margin:1rem 0}td,th{padding:.25rem .8rem;border-bottom:1px solid #d8dce0;text-align:left}
td.n{text-align:right;font-variant-numeric:tabular-nums}.good{color:#17663a}.bad{color:#a11}"""


def heading(result: Result) -> str:
    """Return the run in one line."""
    plan = result.plan
    bot = f"{plan.bot} bot{' on paper' if plan.paper else ''}"
    planted = f", planted: {plan.planted}" if plan.planted else ""
    journal = "mysql with a replica, two hosts" if plan.hosts == 2 else plan.journal
    return (
        f"seed {plan.seed}, {journal}, {bot}, {len(plan.schedule)} faults, {plan.readers} readers{planted}: "
        f"{result.executed} executions, {result.entries} entries, "
        f"{result.received} entries received on {result.connections} connections in {result.seconds:.0f} s"
    )


def text(result: Result) -> str:
    """For the terminal."""
    table = result.verdict.table()
    lines = [heading(result), ", ".join(f"{count} {column}" for column, count in table.items())]
    if result.verdict.announced:
        lines.append(f"{result.verdict.announced} executions announced as gaps")
    lines += [f"  {kind:22} {count:3} x  median {middle:6.2f} s  worst {worst:6.2f} s"
              for kind, count, middle, worst in result.times()]  # fmt: skip
    lines += [f"  ! {finding.kind}, {finding.who}: {finding.what}" for finding in result.findings[:SHOWN]]
    if len(result.findings) > SHOWN:
        lines.append(f"  ! and {len(result.findings) - SHOWN} more")
    return "\n".join(lines)


def write(result: Result) -> Path:
    """The page; its path."""
    plan = result.plan
    FOLDER.mkdir(exist_ok=True)
    parts = [
        "faults",
        "hosts" if plan.hosts == 2 else plan.journal,
        plan.bot,
        "paper" * plan.paper,
        plan.planted,
        str(plan.seed),
    ]
    name = "-".join(filter(None, parts))
    path = FOLDER / f"{name.replace(' ', '-')}.html"
    path.write_text(page(result))
    return path


def page(result: Result) -> str:
    """Self-contained HTML."""
    good = "nothing broken" if not result.findings else f"{len(result.findings)} promises broken"
    verdict = _table(("what", "times"), [(column, count) for column, count in result.verdict.table().items()])
    times = _table(("fault", "times", "median s", "worst s"), [
        (kind, count, f"{middle:.2f}", f"{worst:.2f}") for kind, count, middle, worst in result.times()
    ])  # fmt: skip
    schedule = _table(("fault", "lasts s", "then pause s", "overlaps the next"), [
        (fault.kind, fault.seconds, fault.pause, "yes" if fault.overlaps else "") for fault in result.plan.schedule
    ])  # fmt: skip
    findings = _table(("kind", "who", "what"), [(each.kind, each.who, each.what) for each in result.findings[:1000]])
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Faults, seed {result.plan.seed}</title>'
        f"<style>{STYLE}</style><h1>Fault report</h1><p>{html.escape(heading(result))}.</p>"
        f'<p class="{"bad" if result.findings else "good"}"><b>{good}</b>; '
        f"{result.verdict.announced} executions announced as gaps.</p>{verdict}"
        f"<h2>Time to heal</h2><p>From the end of a fault until every reader had all that had been executed by then."
        f"</p>{times}<h2>Findings</h2>{findings}<h2>Schedule</h2>{schedule}</html>"
    )


def _table(names: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
    body = "".join(
        "<tr>" + "".join(
            f'<td class="n">{cell}</td>' if isinstance(cell, int | float) else f"<td>{html.escape(str(cell))}</td>"
            for cell in row
        ) + "</tr>"
        for row in rows
    )  # fmt: skip
    return f"<table><tr>{head}</tr>{body}</table>"
