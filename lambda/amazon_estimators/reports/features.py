"""The parts of a page about features: the profile of each, and those that moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from amazon_estimators.record_sets.profiles.comparison import Shift
from amazon_estimators.record_sets.profiles.document import ProfileDocument
from amazon_estimators.record_sets.profiles.findings import feature_name
from amazon_estimators.reports.facts import ChannelFacts
from amazon_estimators.reports.html import Html, element, joined, row, table, text
from amazon_estimators.reports.plots import before_and_after, feature_plot
from amazon_estimators.text import counted

AT_ONCE = 250
"""Features in one table: a page of thousands has a part to open for each table."""
LONGEST_NAME = 60
MOST_MOVED = 100
MEDIAN = (0.5,)


class Budget:
    """Bytes that may still be written."""

    def __init__(self, bytes_left: int) -> None:
        self.left = bytes_left

    def take(self, part: Html) -> bool:
        """Take the bytes of a part; return False if there are too few left."""
        size = len(part.encode())
        if size > self.left:
            return False
        self.left -= size
        return True


def profile_section(channel: ChannelFacts, budget: Budget) -> Html:
    """Return the profile of every feature of a channel, as tables of a plot and figures each."""
    document = channel.profile
    if document is None:
        return element("p", "There is no profile of its features.", class_="dim")
    rows: list[Html] = []
    for line in _rows(document):
        if not budget.take(line):
            break
        rows.append(line)
    total, parts = document.profile.features, []
    for start in range(0, len(rows), AT_ONCE):
        stop = min(start + AT_ONCE, len(rows))
        caption = f"Profile of features {start + 1:,} to {stop:,} of {total:,}, channel {channel.name}"
        part = table(caption, _headings(document), rows[start:stop], class_="numbers shapes")
        if total > AT_ONCE:
            opened = {"open": "open"} if start == 0 else {}
            part = element(
                "details", element("summary", f"Features {start + 1:,} to {stop:,}"), part, **opened
            )
        parts.append(part)
    if len(rows) < total:
        left = f"{total - len(rows):,} more features are left out, to keep the page below 2 MB."
        parts.append(element("p", left, class_="dim"))
    return joined(parts)


def _headings(document: ProfileDocument) -> tuple[str, ...]:
    median = ("median",) if document.profile.sketch is not None else ()
    return ("feature", "minimum", *median, "mean", "maximum", "std", "zeros", "shape")


def _rows(document: ProfileDocument) -> Iterator[Html]:
    """Yield a row for each feature."""
    profile = document.profile
    moments, medians = profile.moments, profile.quantiles(MEDIAN)
    deviations = np.sqrt(moments.variance).tolist()
    columns = zip(
        moments.minimum.tolist(),
        [None] * profile.features if medians is None else medians[:, 0].tolist(),
        moments.mean.tolist(),
        moments.maximum.tolist(),
        deviations,
        moments.zeros.tolist(),
        strict=True,
    )
    kind = "Distribution" if profile.sketch is not None else "Range"
    for number, (low, median, mean, high, deviation, zeros) in enumerate(columns):
        yield row(
            _named(feature_name(number, document.names)),
            f"{low:.3g}",
            *(() if median is None else (f"{median:.3g}",)),
            f"{mean:.3g}",
            f"{high:.3g}",
            f"{deviation:.3g}",
            f"{zeros / profile.records:.0%}",
            feature_plot(document, number, f"{kind} of feature {number}"),
        )


def _named(name: int | str) -> Html:
    return text("(empty)" if name == "" else name, LONGEST_NAME)


def moved_section(channel: ChannelFacts, budget: Budget) -> Html:
    """Return what moved since the last training, or why nothing can be said."""
    if not channel.against:
        return Html("")
    parts = [element("p", channel.against)]
    comparison, before, after = channel.comparison, channel.before, channel.profile
    if comparison is not None and before is not None and after is not None:
        moved = comparison.moved
        parts.append(element("p", f"{len(moved):,} of {counted(len(comparison.shifts), 'feature')} moved."))
        places = _places(before), _places(after)
        rows = []
        for shift in moved[:MOST_MOVED]:
            line = _moved_row(shift, before, after, places)
            if budget.take(line):
                rows.append(line)
        if rows:
            caption = f"Features that moved, the largest change first, channel {channel.name}"
            headings = ("feature", "PSI", "KS", "mean before", "mean now", "stds apart", "before (line), now")
            parts.append(table(caption, headings, rows, class_="numbers shapes"))
        if len(rows) < len(moved):
            parts.append(element("p", f"{len(moved) - len(rows):,} more moved.", class_="dim"))
        for names, what in ((comparison.gone, "No longer there"), (comparison.new, "New")):
            if names:
                some = ", ".join(name[:LONGEST_NAME] for name in names[:20])
                more = f", and {len(names) - 20:,} more" if len(names) > 20 else ""
                parts.append(element("p", f"{what}: ", text(some, 2_000), more))
    return joined(parts)


def _places(document: ProfileDocument) -> Mapping[int | str, int]:
    """Return the position of each feature, by what a comparison calls it."""
    return {feature_name(number, document.names): number for number in range(document.profile.features)}


def _moved_row(
    shift: Shift,
    before: ProfileDocument,
    after: ProfileDocument,
    places: tuple[Mapping[int | str, int], Mapping[int | str, int]],
) -> Html:
    # Without names in both, features are compared by position, and named as the first has them.
    here = places[0][shift.feature]
    there = places[1].get(shift.feature, here)
    plot: Any = before_and_after(before, after, (here, there), f"Feature {there} before and now")
    return row(
        _named(shift.feature),
        "" if shift.psi is None else f"{shift.psi:.2f}",
        "" if shift.ks is None else f"{shift.ks:.2f}",
        f"{shift.mean_before:.3g}",
        f"{shift.mean_after:.3g}",
        f"{shift.mean_shift:.2f}",
        plot or "",
    )
