"""Draw the share of each step in the time of an execution that encodes 10 GB: ``docs/images/minute.svg``."""

from __future__ import annotations

from typing import Any

STEPS = {"Plan": "#8250df", "cold starts": "#9aa4b2", "Encode": "#1f6feb", "Seal": "#d1762b"}
WIDTH, HEIGHT, LEFT, RIGHT, TOP, ROW = 860, 232, 140, 90, 72, 46


def draw_minute(seconds: dict[str, dict[str, float]]) -> str:
    """Return an SVG of the seconds of each step, by input; each bar is as long as a minute."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" font-family="system-ui, sans-serif" font-size="12" fill="#24292f">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _text(16, 24, "Where a minute of an execution goes until the RecordSet of 10 GB is sealed", "bold"),
    ]
    for index, (step, color) in enumerate(STEPS.items()):
        parts += [_bar(16 + 130 * index, 38, 12, 12, color), _text(34 + 130 * index, 48, step)]
    for row, (kind, steps) in enumerate(seconds.items()):
        total, x, y = sum(steps.values()), float(LEFT), TOP + ROW * row
        parts.append(_text(16, y + 20, kind))
        for step, took in steps.items():
            width = (WIDTH - LEFT - RIGHT) * took / total
            parts.append(_bar(x, y, width, 30, STEPS[step]))
            if width > 30:
                parts.append(f'<g fill="#ffffff">{_text(x + 6, y + 20, f"{60 * took / total:.0f} s")}</g>')
            x += width
        parts.append(_text(x + 8, y + 20, f"of {total:.0f} s"))
    return "\n".join([*parts, "</svg>", ""])


def _bar(x: float, y: float, width: float, height: float, color: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height}" fill="{color}"/>'


def _text(x: float, y: float, content: Any, weight: str = "normal") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-weight="{weight}">{content}</text>'
