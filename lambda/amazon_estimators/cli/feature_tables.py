"""Draw the profile of a RecordSet's features, and list the features that moved between two."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from rich.markup import escape
from rich.table import Column, Table

from amazon_estimators.cli.terminal import output
from amazon_estimators.record_sets.profiles.comparison import Comparison
from amazon_estimators.record_sets.profiles.document import ProfileDocument
from amazon_estimators.record_sets.profiles.findings import feature_name
from amazon_estimators.text import counted, listed

SHARES = (0.01, 0.25, 0.5, 0.75, 0.99)
WIDTH = 12
BARS = "▁▂▃▄▅▆▇█"


def profile_facts(document: ProfileDocument, features: int) -> dict[str, Any]:
    """Return the first ``features`` features as JSON-ready values, and what is told of all of them."""
    profile = document.profile
    moments, quantiles = profile.moments, profile.quantiles(SHARES)
    rows = [
        {
            "feature": feature_name(number, document.names),
            "minimum": float(moments.minimum[number]),
            "mean": float(moments.mean[number]),
            "maximum": float(moments.maximum[number]),
            "std": math.sqrt(float(moments.variance[number])),
            "zeros": int(moments.zeros[number]),
            "quantiles": None
            if quantiles is None
            else dict(zip(map(str, SHARES), quantiles[number].tolist(), strict=True)),
            "shape": None if profile.sketch is None else sparkline(document, number),
        }
        for number in range(min(features, profile.features))
    ]
    return {
        "records": profile.records,
        "sampled": round(moments.sampled),
        "shards": document.shards,
        "shards_missing": document.missing,
        "warnings": list(document.warnings),
        "features": rows,
    }


def sparkline(document: ProfileDocument, feature: int) -> str:
    """Return the distribution of a feature as bars, from its 1st to its 99th percentile.

    A value is taken to be evenly spread over its bucket of the sketch.
    """
    sketch = document.profile.sketch
    assert sketch is not None
    low, high, counts = sketch.spans_of_feature(feature)
    ends = np.cumsum(counts)
    first, last = (np.searchsorted(ends, share * ends[-1]) for share in (0.01, 0.99))
    start, stop = low[first], high[min(last, len(high) - 1)]
    if start == stop:
        return BARS[-1]
    # Of each bucket, the part that lies in each bar; one of a single value lies in one bar whole.
    edges = np.linspace(start, stop, WIDTH + 1)[:, None]
    edges[-1] = np.nextafter(stop, np.inf)
    width = np.where(high > low, high - low, 1.0)
    below = np.where(high > low, np.clip((edges - low) / width, 0, 1), edges > low)
    rows = np.diff(below @ counts)
    heights = np.ceil(rows / max(rows.max(), 1) * (len(BARS) - 1)).astype(int)
    return "".join(BARS[height] for height in heights)


def print_profile(document: ProfileDocument, features: int) -> None:
    """Print the profile of the first features, and every warning."""
    facts = profile_facts(document, features)
    total = document.profile.features
    shown = f", the first {len(facts['features'])} of {total:,}" if features < total else ""
    if facts["sampled"] < facts["records"]:
        shown += f"; all but minimum and maximum from a sample of {facts['sampled']:,}"
    table = Table(
        "feature",
        "minimum",
        "median",
        "mean",
        "maximum",
        "std",
        "zeros",
        Column("shape", no_wrap=True),
        title=f"Profile of {counted(facts['records'], 'record')}{shown}",
        title_justify="left",
        box=None,
    )
    for row in facts["features"]:
        median = "" if row["quantiles"] is None else f"{row['quantiles']['0.5']:.3g}"
        mean, maximum, std = (f"{row[name]:.3g}" for name in ("mean", "maximum", "std"))
        table.add_row(
            escape(str(row["feature"])),
            f"{row['minimum']:.3g}",
            median,
            mean,
            maximum,
            std,
            f"{row['zeros'] / facts['records']:.0%}",
            f"[cyan]{row['shape'] or ''}[/]",
        )
    if facts["features"]:
        output().print(table)
    if document.missing:
        missing = f"{document.missing} of {document.missing + document.shards} shards are not in the profile"
        output().print(f"[yellow]![/] {missing}", soft_wrap=True)
    for warning in document.warnings:
        output().print(f"[yellow]![/] {escape(warning)}", soft_wrap=True)


def comparison_facts(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as JSON-ready values."""
    return {
        "moved": len(comparison.moved),
        "gone": list(comparison.gone),
        "new": list(comparison.new),
        "features": [vars(shift) for shift in comparison.shifts],
    }


def print_comparison(comparison: Comparison, features: int) -> None:
    """Print the features that moved, at most ``features`` of them, and those that only one side has."""
    moved = comparison.moved
    table = Table("feature", "PSI", "KS", "mean", "was", "stds apart", box=None)
    for shift in moved[:features]:
        psi, ks = ("" if value is None else f"{value:.2f}" for value in (shift.psi, shift.ks))
        means = (f"{value:.3g}" for value in (shift.mean_after, shift.mean_before))
        table.add_row(escape(str(shift.feature)), psi, ks, *means, f"{shift.mean_shift:.2f}")
    output().print(f"{len(moved)} of {counted(len(comparison.shifts), 'feature')} moved", soft_wrap=True)
    if moved[:features]:
        output().print(table)
    for names, what in ((comparison.gone, "only in the other"), (comparison.new, "only here")):
        if names:
            output().print(f"[yellow]![/] {what}: {escape(listed(names))}", soft_wrap=True)
