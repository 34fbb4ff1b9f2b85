"""Draws docs/speed/*.svg from the kept results of benchmarks.growth: plain SVG, logarithmic on both sides.

python -m benchmarks.plots
"""

import math
from pathlib import Path

from benchmarks.machine import HERE
from benchmarks.page import load, mid

FOLDER = HERE.parent / "docs" / "speed"
WIDTH, HEIGHT, LEFT, BOTTOM = 460, 280, 62, 44
PLOTS = {
    "readers": ("readers", "cpu_us", "open readers", "us of CPU per delivery"),
    "last": ("readers", "last_p50", "open readers", "ms until the last has it (p50)"),
    "batch": ("batch", "cpu_us_per_trade", "trades in one poll", "us of CPU per trade and reader"),
    "journal": ("journal", "resume_100_ms", "entries in the journal", "ms to resume 100 behind"),
}

Point = tuple[float, float]


def points(axis: str, key: str) -> list[Point]:
    """Medians along one axis; a journal of none stands at one."""
    rounds = load("growth")["rounds"]
    found = [(name.split()[1], figures) for name, figures in rounds.items() if name.startswith(f"{axis} ")]
    return [(max(float(size), 1.0), mid(figures, key)) for size, figures in found]


def drawn(curve: list[Point], across: str, up: str) -> str:
    """One plot, with a decade at least on both sides, ticks at powers of ten and each value beside its point."""
    low = [math.floor(math.log10(min(one[side] for one in curve))) for side in (0, 1)]
    high = [max(math.ceil(math.log10(max(one[side] for one in curve))), low[side] + 1) for side in (0, 1)]

    def place(value: float, side: int) -> float:
        share = (math.log10(value) - low[side]) / (high[side] - low[side])
        return LEFT + share * (WIDTH - LEFT - 34) if side == 0 else HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - 24)

    lines = []
    for power in range(low[0], high[0] + 1):
        x = place(10.0**power, 0)
        lines.append(f'<path class="grid" d="M{x:.0f} 24V{HEIGHT - BOTTOM}"/>')
        lines.append(f'<text x="{x:.0f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{10**power:,}</text>')
    for power in range(low[1], high[1] + 1):
        y = place(10.0**power, 1)
        lines.append(f'<path class="grid" d="M{LEFT} {y:.0f}H{WIDTH - 34}"/>')
        lines.append(f'<text x="{LEFT - 6}" y="{y + 4:.0f}" text-anchor="end">{10.0**power:g}</text>')
    way = "L".join(f"{place(x, 0):.1f} {place(y, 1):.1f}" for x, y in curve)
    lines.append(f'<path class="curve" d="M{way}"/>')
    for x, y in curve:
        lines.append(f'<circle cx="{place(x, 0):.1f}" cy="{place(y, 1):.1f}" r="3"/>')
        lines.append(
            f'<text class="value" x="{place(x, 0):.0f}" y="{place(y, 1) - 8:.0f}" text-anchor="middle">{y:.3g}</text>'
        )
    lines.append(f'<text x="{(LEFT + WIDTH) // 2}" y="{HEIGHT - 8}" text-anchor="middle">{across}</text>')
    lines.append(f'<text x="8" y="14">{up}</text>')
    style = (
        "text{font:11px sans-serif;fill:#555}.grid{stroke:#ccc;stroke-width:.5}.value{fill:#06c}"
        ".curve{fill:none;stroke:#06c;stroke-width:2}circle{fill:#06c}"
    )
    body = "\n".join(lines)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">\n'
        f'<style>{style}</style>\n<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>\n{body}\n</svg>\n'
    )


def main() -> None:
    """Write each plot."""
    FOLDER.mkdir(exist_ok=True)
    for name, (axis, key, across, up) in PLOTS.items():
        Path(FOLDER / f"{name}.svg").write_text(drawn(points(axis, key), across, up))


if __name__ == "__main__":
    main()
