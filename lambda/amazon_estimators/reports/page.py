"""Write the page: warnings first, then what a reader asks in turn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

from amazon_estimators.reports.facts import ChannelFacts, ReportFacts
from amazon_estimators.reports.features import Budget, moved_section, profile_section
from amazon_estimators.reports.html import Html, document, element, joined, row, table, text
from amazon_estimators.reports.plots import bar, trend
from amazon_estimators.reports.style import STYLE
from amazon_estimators.text import counted

MOST_WARNINGS, MOST_LINES, MOST_OBJECTS = 100, 50, 100
MOST_BYTES = 1_900_000
"""Bytes of a page; tables of features take what other parts leave."""
DIRECTIONS = {"Minimize": "lower is better", "Maximize": "higher is better", None: ""}


def page(facts: ReportFacts) -> str:
    """Return a page as HTML, in one file that loads nothing. It is below 2 MB whatever it tells."""
    sections = {
        "Result": ("result", _result(facts)),
        "Metrics": ("metrics", _metrics(facts)),
        "What was read": ("read", joined(_of_channel(one, _read(one)) for one in facts.channels)),
        "What moved": ("moved", Html("")),
        "Hyperparameters": ("hyperparameters", _hyperparameters(facts)),
        "Seconds and cost": ("steps", _steps(facts)),
        "Lineage": ("lineage", _lineage(facts)),
    }
    warnings = _warnings(facts)
    taken = sum(len(part.encode()) for part in (warnings, *(part for _, part in sections.values())))
    budget = Budget(MOST_BYTES - taken)
    for title, place, make in (
        ("What moved", "moved", moved_section),
        ("Features", "features", profile_section),
    ):
        sections[title] = (place, joined(_of_channel(one, make(one, budget)) for one in facts.channels))
    shown = {name: part for name, part in sections.items() if part[1]}
    links = (element("li", element("a", name, href=f"#{place}")) for name, (place, _) in shown.items())
    return document(
        f"{facts.title}: training report",
        STYLE,
        element(
            "header",
            element("h1", facts.title),
            element("p", f"Made at {facts.made}.", class_="dim"),
            element("nav", element("ul", joined(links)), aria_label="Parts of this page"),
        ),
        element(
            "main",
            warnings,
            *(
                element("section", element("h2", name, id=place), part, aria_labelledby=place)
                for name, (place, part) in shown.items()
            ),
        ),
        element(
            "footer",
            "Shapes, medians and PSI are of up to 8,192 sampled rows of each shard, the other figures of all "
            "rows. This page loads nothing from elsewhere.",
        ),
    )


def _of_channel(channel: ChannelFacts, part: Html) -> Html:
    return Html(f"{element('h3', f'Channel {channel.name}')}{part}") if part else part


def _warnings(facts: ReportFacts) -> Html:
    said = [
        *facts.warnings,
        *(
            f"channel {channel.name}: {warning}"
            for channel in facts.channels
            for warning in (*channel.missing, *(channel.profile.warnings if channel.profile else ()))
        ),
    ]
    warnings = [*dict.fromkeys(said)]
    if not warnings:
        return element("p", "No warnings.", class_="dim")
    items = joined(element("li", text(one)) for one in warnings[:MOST_WARNINGS])
    more = len(warnings) - MOST_WARNINGS
    return element(
        "section",
        element("h2", counted(len(warnings), "warning"), id="warnings"),
        element("ul", items),
        element("p", f"{more:,} more are left out.") if more > 0 else "",
        class_="warnings",
        aria_labelledby="warnings",
    )


def _result(facts: ReportFacts) -> Html:
    about = [(name, value) for name, value in facts.about.items() if value not in (None, "")]
    listed = joined(Html(f"{element('dt', name)}{element('dd', text(value))}") for name, value in about)
    return Html(f"{_verdict(facts)}{element('dl', listed) if listed else ''}")


def _verdict(facts: ReportFacts) -> Html:
    verdict = facts.verdict
    if verdict is None:
        return Html("")
    good = bool(verdict.get("good"))
    said = "Passed the gate" if good else "Rejected by the gate"
    return element(
        "p",
        element("span", said, class_=f"verdict {'good' if good else 'bad'}"),
        ": ",
        text(verdict.get("because", "")),
    )


def _metrics(facts: ReportFacts) -> Html:
    """Return each metric of the training: its value, the current model's, and its course over time."""
    if not facts.metrics:
        return element("p", "The training reported no metrics.", class_="dim") if facts.job else Html("")
    directions = (
        {metric.name: metric.direction for metric in facts.algorithm.metrics} if facts.algorithm else {}
    )
    job, current = facts.current or (None, {})
    earlier = [one for one in facts.trainings if one.get("job") != facts.job]
    rows = []
    for name, value in sorted(facts.metrics.items()):
        before = _number(current.get(name))
        course = [_number((one.get("metrics") or {}).get(name)) for one in earlier] + [_number(value)]
        known = [one for one in course if one is not None]
        title = f"{name} over {counted(len(known), 'training')}"
        if before is not None:
            title += f", the dashed line is {before:.6g} of the model in use"
        drawn = trend(course, before, title) if len(known) > 1 and course[-1] is not None else ""
        rows.append(
            row(
                name,
                _figure(value),
                "" if before is None else _figure(before),
                _change(_number(value), before, directions.get(name)),
                DIRECTIONS[directions.get(name)],
                drawn,
            )
        )
    headings = ("metric", "this training", "model in use", "change", "wanted", "over time")
    compared = (
        f" The model in use before was trained by {job}." if job else " There was no other model in use."
    )
    return Html(
        element("p", f"{counted(len(earlier), 'earlier training')} known.{compared}")
        + table("Metrics of the training", headings, rows, class_="numbers")
    )


def _change(value: float | None, before: float | None, direction: str | None) -> object:
    if value is None or before is None:
        return ""
    gain = value - before
    if direction is None or gain == 0:
        return f"{gain:+.3g}"
    better = (gain < 0) == (direction == "Minimize")
    return element(
        "span", f"{gain:+.3g} {'better' if better else 'worse'}", class_="good" if better else "bad"
    )


def _number(value: Any) -> float | None:
    """Return a finite number, else None: metrics come from JSON, where NaN is a text."""
    return float(value) if isinstance(value, int | float) and isfinite(value) else None


def _figure(value: Any) -> str:
    number = _number(value)
    return str(value) if number is None else f"{number:.6g}"


def _read(channel: ChannelFacts) -> Html:
    """Return what was read of a channel and what was left out."""
    record_set = channel.record_set
    if record_set is None:
        return element("p", "Nothing is known of its RecordSet.", class_="dim")
    first, *others = record_set.describe().splitlines()
    # The lines of read_as are part of the description; one line can name thousands of columns.
    items = joined(element("li", text(line.strip())) for line in others[:MOST_LINES])
    more = len(others) - MOST_LINES
    return Html(
        element("p", text(first))
        + element("ul", items, class_="lines")
        + (element("p", f"{more:,} more lines are left out.", class_="dim") if more > 0 else "")
    )


def _hyperparameters(facts: ReportFacts) -> Html:
    if not facts.hyperparameters:
        return Html("")
    declared: Mapping[str, Any] = facts.algorithm.declared() if facts.algorithm else {}
    rows = []
    for name, value in sorted(facts.hyperparameters.items()):
        one = declared.get(name)
        default = "" if one is None or one.default is None else one.default
        rows.append(row(name, value, default, "" if one is None else one.kind.expecting, _searched(one)))
    unset = sorted(
        name for name in declared if not name.startswith("_") and name not in facts.hyperparameters
    )
    left = element("p", text(f"Left at the service's default: {', '.join(unset)}.", 10_000)) if unset else ""
    headings = ("hyperparameter", "value", "default", "allowed", "AWS's range for tuning")
    caption = "Hyperparameters of the training job"
    return Html(f"{table(caption, headings, rows)}{left}")


def _searched(declared: Any) -> str:
    tuning = None if declared is None else declared.tuning
    if tuning is None:
        return ""
    return ", ".join(tuning.values) if tuning.values else f"{tuning.low:g} to {tuning.high:g}"


def _steps(facts: ReportFacts) -> Html:
    if not facts.steps:
        return element("p", f"Cost of the training: {facts.cost}.") if facts.cost else Html("")
    longest = max(step.seconds for step in facts.steps) or 1.0
    rows = [
        row(
            f"\u2013 {step.name}" if step.of else step.name,
            f"{step.seconds:,.1f}",
            step.cost,
            bar(step.seconds / longest, f"{step.seconds:,.1f} seconds of {step.name}"),
        )
        for step in facts.steps
    ]
    total = sum(step.seconds for step in facts.steps if not step.of)
    rows.append(row("together", f"{total:,.1f}", facts.cost, ""))
    caption = "Seconds and cost of each step; the cost is that of the training instances"
    return table(caption, ("step", "seconds", "cost", "share"), rows)


def _lineage(facts: ReportFacts) -> Html:
    """Return the way from the model back to the versions of objects."""
    origins = [channel for channel in facts.channels if channel.origin is not None]
    if not origins:
        return Html("")
    head = [("model", facts.model), ("training job", facts.job)]
    listed = joined(
        Html(f"{element('dt', name)}{element('dd', element('code', text(value)))}")
        for name, value in head
        if value
    )
    parts = joined(_of_channel(channel, joined(_origin(channel))) for channel in origins)
    return Html(f"{element('dl', listed) if listed else ''}{parts}")


def _origin(channel: ChannelFacts) -> Iterator[Html]:
    origin = channel.origin
    assert origin is not None
    facts = {
        "RecordSet": origin.record_set,
        "fingerprint": origin.fingerprint,
        "data set version": origin.data_set,
        "list of its objects": origin.listed_at,
    }
    yield element(
        "dl",
        joined(
            Html(f"{element('dt', name)}{element('dd', element('code', text(value)))}")
            for name, value in facts.items()
            if value
        ),
    )
    if origin.objects is None:
        return
    some = [origin.objects[number] for number in range(min(MOST_OBJECTS, len(origin.objects)))]
    rows = [row(text(one.uri), one.version_id or f"ETag {one.etag}", f"{one.size:,}") for one in some]
    more = len(origin.objects) - len(some)
    caption = f"{counted(len(origin.objects), 'object')} of channel {channel.name}" + (
        f", the first {len(some)}" if more else ""
    )
    yield table(caption, ("object", "version", "bytes"), rows)
