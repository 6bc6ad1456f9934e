"""Draw the codec's figures: MB/s of ours, the copy and the peer on a logarithmic axis."""

from __future__ import annotations

from math import log10
from typing import Any

WIDTH, LEFT, RIGHT, ROW, TOP = 860, 190, 40, 46, 64
LOWEST, HIGHEST = 0.0, 4.3  # powers of ten
SERIES = (
    ("mb_per_second", "this library", "#1f6feb"),
    ("copy_mb_per_second", "memory copy", "#9aa4b2"),
    ("peer_mb_per_second", "SageMaker Python SDK 2", "#d1762b"),
)


def _x(speed: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * (log10(max(speed, 1.0)) - LOWEST) / (HIGHEST - LOWEST)


def _text(x: float, y: float, content: str, *, anchor: str = "start", weight: str = "normal") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}">{content}</text>'


def _label(case: str) -> str:
    words = case.split()
    return f"{words[0]} {words[1]}" + (f", {words[2]} features" if len(words) > 2 else "")


def draw(result: dict[str, Any]) -> str:
    """Return an SVG of the encode and decode cases."""
    cases = {
        name: figure for name, figure in result["cases"].items() if name.split()[0] in ("encode", "decode")
    }
    order = sorted(cases, key=lambda name: name.split()[0] != "encode")
    height = TOP + ROW * len(order) + 56
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="12" fill="#24292f">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(16, 24, "RecordIO-protobuf, MB/s on one thread (logarithmic)", weight="bold"),
    ]
    for index, (_, name, colour) in enumerate(SERIES):
        at = 16 + 190 * index
        parts += [f'<rect x="{at}" y="36" width="12" height="12" fill="{colour}"/>', _text(at + 18, 46, name)]
    bottom = TOP + ROW * len(order)
    for power in range(int(HIGHEST) + 1):
        x = _x(10**power)
        parts.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom}" stroke="#d8dee4"/>')
        parts.append(_text(x, bottom + 16, f"{10**power:,}", anchor="middle"))
    for row, name in enumerate(order):
        y = TOP + ROW * row + 4
        parts.append(_text(LEFT - 10, y + 22, _label(name), anchor="end"))
        for index, (key, _, colour) in enumerate(SERIES):
            speed = cases[name].get(key)
            if speed:
                top = y + 12 * index
                parts.append(
                    f'<rect x="{LEFT}" y="{top}" width="{_x(speed) - LEFT:.1f}" height="10" fill="{colour}"/>'
                )
                parts.append(f'<g font-size="9">{_text(_x(speed) + 4, top + 8.5, f"{speed:,.0f}")}</g>')
    told = result["machine"]
    parts.append(
        _text(16, height - 12, f"{told['processor']}, Python {told['python']}, numpy {told['numpy']}")
    )
    return "\n".join([*parts, "</svg>"]) + "\n"
