"""Plots as inline SVG, small enough that a page holds thousands: integer coordinates, one path each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from amazon_estimators.record_sets.profiles.document import ProfileDocument
from amazon_estimators.reports.html import Html, element, text

Array = np.ndarray[Any, Any]
WIDTH, HEIGHT, BARS = 96, 20, 16
TREND_WIDTH, TREND_HEIGHT, EDGE = 240, 48, 5
BAR_WIDTH = 160


def feature_plot(document: ProfileDocument, feature: int, title: str) -> Html:
    """Return the distribution of a feature: a histogram by its sketch, else its range, mean and deviation."""
    sketch = document.profile.sketch
    if sketch is None:
        return _plot(_range_path(document, feature), title)
    low, high, counts = sketch.spans_of_feature(feature)
    span = central_span(low, high, counts)
    return _plot(_bars(heights(low, high, counts, *span)), title)


def before_and_after(
    before: ProfileDocument, after: ProfileDocument, features: tuple[int, int], title: str
) -> Html | None:
    """Return two distributions over one scale: the earlier as a line over the later's bars.

    None without a sketch in both.
    """
    sketches = before.profile.sketch, after.profile.sketch
    if sketches[0] is None or sketches[1] is None:
        return None
    old, new = (sketch.spans_of_feature(at) for sketch, at in zip(sketches, features, strict=True) if sketch)
    spans = central_span(*old), central_span(*new)
    span = min(spans[0][0], spans[1][0]), max(spans[0][1], spans[1][1])
    line = _steps(heights(*old, *span))
    return element(
        "svg",
        element("title", title),
        element("path", d=_bars(heights(*new, *span))),
        element("path", class_="before", d=line),
        class_="pair",
        role="img",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
    )


def central_span(low: Array, high: Array, counts: Array) -> tuple[float, float]:
    """Return the values between which 98 of 100 rows lie, by the buckets of a sketch."""
    ends = np.cumsum(counts)
    first, last = (int(np.searchsorted(ends, share * ends[-1])) for share in (0.01, 0.99))
    return float(low[first]), float(high[min(last, len(high) - 1)])


def heights(low: Array, high: Array, counts: Array, start: float, stop: float) -> list[int]:
    """Return the height of each bar, 0 to HEIGHT. A value is taken to be evenly spread over its bucket."""
    if start == stop:
        return [HEIGHT if bar == BARS // 2 else 0 for bar in range(BARS)]
    edges = np.linspace(start, stop, BARS + 1)
    edges[-1] = np.nextafter(stop, np.inf)
    # Rows below each edge, in one pass over the buckets instead of one for each edge.
    ends = np.cumsum(counts)
    at = np.searchsorted(low, edges, side="left")
    before = np.where(at > 0, ends[np.maximum(at, 1) - 1], 0).astype(float)
    bucket = np.maximum(at, 1) - 1
    width = np.where(high[bucket] > low[bucket], high[bucket] - low[bucket], 1.0)
    beyond = np.where(
        (at > 0) & (high[bucket] > low[bucket]), np.clip((high[bucket] - edges) / width, 0.0, 1.0), 0.0
    )
    below = before - beyond * counts[bucket]
    rows = np.maximum(np.diff(below), 0.0)
    most = max(float(rows.max()), 1e-9)
    # A bar of any row is seen.
    return [0 if count <= 0 else max(1, round(HEIGHT * count / most)) for count in rows.tolist()]


def _bars(bars: Sequence[int]) -> str:
    """Return the path of a histogram: for each bar its corners, relative to the last."""
    width = WIDTH // BARS
    return "".join(
        f"M{number * width} {HEIGHT}v-{height}h{width - 1}v{height}z"
        for number, height in enumerate(bars)
        if height
    )


def _steps(bars: Sequence[int]) -> str:
    width = WIDTH // BARS
    return f"M0 {HEIGHT}" + "".join(f"V{HEIGHT - height}h{width}" for height in bars) + f"V{HEIGHT}"


def _range_path(document: ProfileDocument, feature: int) -> str:
    """Return a line from minimum to maximum, a box of a deviation around the mean, and the mean."""
    moments = document.profile.moments
    low, high, mean = (float(part[feature]) for part in (moments.minimum, moments.maximum, moments.mean))
    middle = HEIGHT // 2
    if not high > low:
        return f"M{WIDTH // 2 - 1} 2h2v16h-2z"
    deviation = float(np.sqrt(moments.variance[feature]))

    def across(value: float) -> int:
        # Halves first: the difference of two float64 may be infinite.
        share = (value / 2 - low / 2) / (high / 2 - low / 2)
        return round((WIDTH - 1) * min(1.0, max(0.0, share)))

    left, right, at = across(mean - deviation), across(mean + deviation), across(mean)
    box = f"M{left} {middle - 4}h{max(1, right - left)}v8h-{max(1, right - left)}z"
    return f"M0 {middle}h{WIDTH}v1h-{WIDTH}z{box}M{at} 2h2v16h-2z"


def _plot(path: str, title: str) -> Html:
    return Html(f'<svg role=img><title>{text(title)}</title><path d="{path}"/></svg>')


def trend(values: Sequence[float | None], current: float | None, title: str) -> Html:
    """Return a curve of values over time, the last one marked, with the current model's as a dashed line."""
    known = [value for value in (*values, current) if value is not None]
    low, high = min(known), max(known)
    span = (high / 2 - low / 2) or 1.0

    def down(value: float) -> int:
        return round(TREND_HEIGHT - EDGE - (TREND_HEIGHT - 2 * EDGE) * ((value / 2 - low / 2) / span))

    step = (TREND_WIDTH - 2 * EDGE) / max(1, len(values) - 1)
    points = [
        (round(EDGE + step * number), down(value)) for number, value in enumerate(values) if value is not None
    ]
    curve = "M" + "L".join(f"{across} {below}" for across, below in points)
    parts = [element("path", class_="curve", d=curve)]
    if current is not None:
        line = f"M0 {down(current)}H{TREND_WIDTH}"
        parts.append(element("path", class_="current", d=line))
    parts.append(element("circle", class_="now", cx=points[-1][0], cy=points[-1][1], r=3.5))
    return element(
        "svg",
        element("title", title),
        *parts,
        class_="trend",
        role="img",
        viewBox=f"0 0 {TREND_WIDTH} {TREND_HEIGHT}",
    )


def bar(share: float, title: str) -> Html:
    """Return a bar as long as a share, 0 to 1."""
    length = max(1, round(BAR_WIDTH * share))
    return element(
        "svg",
        element("title", title),
        element("path", d=f"M0 0h{length}v10h-{length}z"),
        class_="bar",
        role="img",
        viewBox=f"0 0 {BAR_WIDTH} 10",
    )
