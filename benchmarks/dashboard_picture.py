"""Draw the dashboard of examples/monitored.py into docs/images/dashboard.svg.

Layout, titles, labels and columns are those of the synthesised template. Curves and rows are made up, and the
picture says so.

    python benchmarks/dashboard_picture.py
"""

from __future__ import annotations

import json
import random
import re
import runpy
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

REPOSITORY = Path(__file__).resolve().parent.parent
EXAMPLE = REPOSITORY / "examples" / "monitored.py"
PICTURE = REPOSITORY / "docs" / "images" / "dashboard.svg"
CELL, ROW, HEAD, GAP = 44, 30, 52, 4
PALETTE = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b")
GREY, LINE, INK, PAPER = "#5f6b7a", "#e3e7ec", "#16191f", "#ffffff"
POINTS = 28
RARE = ("Failed", "Rejected", "Skipped", "Waiting", "RolledBack", "Messages", "5XX")
"""Words in the names of metrics that are 0 most of the time."""
LETTER = 6.5
"""Width of a character of the small text."""
SAMPLES: Mapping[str, Sequence[str]] = {
    "@timestamp": ("2026-11-27 06:05:12", "2026-11-26 06:04:58", "2026-11-25 06:05:31"),
    "job": ("training-2d28df34-0f3a9c", "training-2d28df34-77b1e0", "training-2d28df34-c2d04e"),
    "data_set": ("8f14e45fceea167a5a36dedd", "c9f0f895fb98ab9159f51fd0", "45c48cce2e2d7fbdea1afc51"),
    "execution": ("2c1f6f0e-starter", "a5771bce-starter", "1f0e3dad-starter"),
    "Error": ("InputError", "States.Timeout", "TrainingJobError"),
    "BillableSeconds": ("212", "208", "215"),
    "ExecutionSeconds": ("41", "39", "44"),
    "Cost": ("0.0068", "0.0066", "0.0069"),
}


def dashboard() -> list[dict[str, Any]]:
    """Synthesise the example and return its dashboard's widgets, with references by their logical ids."""
    sys.path[:0] = [str(REPOSITORY / "tests" / "constructs")]
    from pipeline_stacks import Synthesised, new_app  # noqa: PLC0415 - of the tests, which know templates

    stack = runpy.run_path(str(EXAMPLE), run_name="monitored")["Churn"](new_app(), "Churn")
    (properties,) = Synthesised(stack).of_type("AWS::CloudWatch::Dashboard").values()
    widgets: list[dict[str, Any]] = json.loads(properties["DashboardBody"])["widgets"]
    return widgets


def draw(widgets: Sequence[dict[str, Any]]) -> str:
    """Return an SVG of the widgets."""
    height = HEAD + ROW * max(widget["y"] + widget["height"] for widget in widgets) + GAP
    width = 24 * CELL
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="system-ui, sans-serif" font-size="11" fill="{INK}">',
        f'<rect width="{width}" height="{height}" fill="#f2f3f3"/>',
        _text(12, 22, "CloudWatch dashboard of examples/monitored.py", size=15, weight="bold"),
        _text(
            12,
            40,
            "An illustration: widgets, titles, labels and columns are those of the synthesised template; "
            "curves, states and rows are made up.",
            fill="#b3261e",
        ),
    ]
    kinds = {"text": _note, "alarm": _alarms, "metric": _graph, "log": _table}
    for widget in widgets:
        x, y = widget["x"] * CELL + GAP / 2, HEAD + widget["y"] * ROW + GAP / 2
        box = (x, y, widget["width"] * CELL - GAP, widget["height"] * ROW - GAP)
        fill = "none" if widget["type"] == "text" else PAPER
        stroke = "none" if widget["type"] == "text" else LINE
        parts.append(
            f'<rect x="{x:.0f}" y="{y:.0f}" width="{box[2]:.0f}" height="{box[3]:.0f}" rx="3" fill="{fill}" '
            f'stroke="{stroke}"/>'
        )
        parts += kinds[widget["type"]](widget["properties"], *box)
    return "\n".join([*parts, "</svg>\n"])


def _note(properties: Mapping[str, Any], x: float, y: float, width: float, height: float) -> Iterator[str]:
    """Draw Markdown: a heading and lines."""
    at = y + 18
    for line in properties["markdown"].split("\n"):
        heading = line.removeprefix("## ")
        text = re.sub(r"<(\w+?)[0-9A-F]{8}(?:\.\w+)?>", r"\1", heading.replace("`", ""))
        if heading == line:
            yield _text(x + 8, at, _short(text, width), fill=GREY)
        else:
            yield _text(x + 8, at + 2, text, size=14, weight="bold")
        at += 22


def _alarms(properties: Mapping[str, Any], x: float, y: float, width: float, height: float) -> Iterator[str]:
    """Draw the states of alarms: one of them is going off."""
    yield _text(x + 10, y + 18, properties["title"], weight="bold")
    across = (width - 10) / 5
    for number, arn in enumerate(properties["alarms"]):
        left, top = x + 10 + across * (number % 5), y + 30 + 52 * (number // 5)
        name = re.sub(r"<(\w+?)[0-9A-F]{8}\.\w+>", r"\1", arn)
        colour, state = ("#d13212", "In alarm") if number == 0 else ("#1d8102", "OK")
        yield (
            f'<rect x="{left:.0f}" y="{top}" width="{across - 10:.0f}" height="44" rx="2" fill="{colour}" '
            'fill-opacity="0.10"/>'
        )
        yield f'<rect x="{left:.0f}" y="{top}" width="4" height="44" fill="{colour}"/>'
        yield _text(left + 12, top + 18, _short(name, across - 22))
        yield _text(left + 12, top + 34, state, fill=colour)


def _graph(properties: Mapping[str, Any], x: float, y: float, width: float, height: float) -> Iterator[str]:
    """Draw curves that are made up, with the labels of the metrics."""
    yield _text(x + 10, y + 18, properties["title"], weight="bold")
    unit = properties.get("yAxis", {}).get("left", {}).get("label")
    if unit:
        yield _text(x + width - 10, y + 18, unit, anchor="end", fill=GREY)
    labels = [metric[-1]["label"] for metric in properties["metrics"]]
    legend = list(_legend(labels, width - 20))
    left, top, right = x + 12, y + 30, x + width - 12
    bottom = y + height - 12 - 14 * (legend[-1][1] + 1)
    for number in range(4):
        line = top + (bottom - top) * number / 3
        yield f'<line x1="{left:.0f}" y1="{line:.0f}" x2="{right:.0f}" y2="{line:.0f}" stroke="{LINE}"/>'
    stacked, base = bool(properties.get("stacked")), [0.0] * POINTS
    step = (right - left) / (POINTS - 1)
    for number, metric in enumerate(properties["metrics"]):
        colour = PALETTE[number % len(PALETTE)]
        values = _made_up(metric[1] + str(metric[3]), number, stacked=stacked)
        tops = [low + value for low, value in zip(base, values, strict=True)] if stacked else values
        places = [
            (left + step * at, bottom - (bottom - top) * min(1.0, value)) for at, value in enumerate(tops)
        ]
        path = " ".join(f"{across:.1f},{up:.1f}" for across, up in places)
        if stacked:
            under = " ".join(
                f"{left + step * at:.1f},{bottom - (bottom - top) * min(1.0, base[at]):.1f}"
                for at in reversed(range(POINTS))
            )
            yield f'<polygon points="{path} {under}" fill="{colour}" fill-opacity="0.55"/>'
            base = tops
        else:
            yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
    for number, (across, row) in enumerate(legend):
        place = bottom + 16 + 14 * row
        colour = PALETTE[number % len(PALETTE)]
        yield f'<rect x="{left + across:.0f}" y="{place - 8:.0f}" width="9" height="9" fill="{colour}"/>'
        yield _text(left + across + 13, place, labels[number], fill=GREY)


def _legend(labels: Sequence[str], width: float) -> Iterator[tuple[float, int]]:
    """Yield where each label stands: from the left, and in which line."""
    across, row = 0.0, 0
    for label in labels:
        needs = 13 + LETTER * len(label) + 10
        if across and across + needs > width:
            across, row = 0.0, row + 1
        yield across, row
        across += needs


def _made_up(name: str, number: int, *, stacked: bool) -> list[float]:
    """Return a curve from 0 to 1, the same for the same name."""
    dice = random.Random(name + str(number))
    if any(word in name for word in RARE):
        return [0.2 * (dice.random() < 0.06) for _ in range(POINTS)]
    if stacked:
        return [0.55 * (dice.random() < 0.9) for _ in range(POINTS)]
    level, values = 0.25 + 0.5 * dice.random(), []
    for _ in range(POINTS):
        level = min(0.95, max(0.04, level + dice.uniform(-0.05, 0.05)))
        values.append(level)
    return values


def _table(properties: Mapping[str, Any], x: float, y: float, width: float, height: float) -> Iterator[str]:
    """Draw a table with the columns of the query, and rows that are made up."""
    yield _text(x + 10, y + 18, properties["title"], weight="bold")
    query = properties["query"]
    columns = [name.strip("`") for name in re.search(r"fields (.*)", query)[1].split(", ")]
    kinds = json.loads(re.search(r"event in (\[.*\])", query)[1])
    weights = [max(len(name), len(_cell(name, 0, kinds))) for name in columns]
    while sum(weights) * LETTER > width - 20 - 10 * len(weights):
        weights[weights.index(max(weights))] -= 1
    left = x + 10
    for name, weight in zip(columns, weights, strict=True):
        yield _text(left, y + 38, _short(name, weight * LETTER + 4), weight="bold", fill=GREY)
        for row in range(3):
            value = _short(_cell(name, row, kinds), weight * LETTER + 4)
            yield _text(left, y + 60 + 22 * row, value)
        left += weight * LETTER + 10
    for row in range(4):
        line = y + 44 + 22 * row
        yield f'<line x1="{x + 8:.0f}" y1="{line}" x2="{x + width - 8:.0f}" y2="{line}" stroke="{LINE}"/>'


def _cell(name: str, row: int, kinds: Sequence[str]) -> str:
    if name == "event":
        return kinds[row == 1 and len(kinds) > 1]
    if name == "Error" and kinds[0] == "Endpoint Updated":
        return ""
    if name in SAMPLES:
        return SAMPLES[name][row]
    return f"{random.Random(name + str(row)).uniform(0.7, 0.95):.3f}"


def _short(text: str, width: float) -> str:
    most = max(2, int(width / LETTER))
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _text(
    x: float,
    y: float,
    content: str,
    *,
    anchor: str = "start",
    weight: str = "normal",
    size: int = 11,
    fill: str = INK,
) -> str:
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" font-weight="{weight}" font-size="{size}" '
        f'fill="{fill}">{escape(content)}</text>'
    )


if __name__ == "__main__":
    PICTURE.write_text(draw(dashboard()), encoding="utf-8")
