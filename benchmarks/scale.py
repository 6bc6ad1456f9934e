"""Calculate time and cost of encoding large data on Lambda: ``benchmarks/scale.py [--write]``.

It prints the tables of ``docs/scale.md``. ``--write`` puts them between the marks of that page and draws
``docs/images/scale.svg`` and ``minute.svg``. Measured values come from ``benchmarks/results/pipeline.json``.
Assumed values are below, with their units, and on the page.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from math import ceil, log10
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "lambda"))

from minute_picture import draw_minute  # noqa: E402

from amazon_estimators.pipeline.keys import SHARDS_OF_GROUP  # noqa: E402
from amazon_estimators.pipeline.sharding import DEFAULT_SHARD_BYTES  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "pipeline.json"
PAGE = ROOT / "docs" / "scale.md"
PICTURE = ROOT / "docs" / "images" / "scale.svg"
MINUTE = ROOT / "docs" / "images" / "minute.svg"
MARKS = ("<!-- figures -->", "<!-- end of figures -->")

MB = 1_000_000
SHARD_MB = DEFAULT_SHARD_BYTES / MB
MEMORY_GB = 1_769 / 1_024
"""Of an Encode: one whole vCPU."""
START_SECONDS = 3.0
"""A cold start with its imports; every shard is charged one."""
NETWORK_MB_PER_SECOND = 75.0
"""Between one function and S3, in each direction. AWS names no figure; this is a cautious one."""
DOLLARS_PER_GB_SECOND = 0.0000166667
DOLLARS_PER_INVOCATION = 0.20 / 1e6
DOLLARS_PER_TRANSITION = 0.025 / 1e3
TRANSITIONS_PER_SHARD = 3
DOLLARS_PER_GET = 0.0004 / 1e3
DOLLARS_PER_PUT = 0.005 / 1e3
DOLLARS_PER_LIST = DOLLARS_PER_PUT
GET_MB = 8 * 2**20 / MB
PUT_MB = 16 * 2**20 / MB
GETS_PER_SECOND, PUTS_PER_SECOND = 5_500, 3_500
"""The request rates of one S3 prefix before it answers SlowDown."""

SIZES = {"10 GB": 10_000, "1 TB": 1_000_000, "10 TB": 10_000_000}
CONCURRENCIES = (100, 1_000)
KINDS = {"npy float32": "`.npy`, float32", "csv": "CSV", "parquet": "Parquet"}
COLORS = {"npy float32": "#1f6feb", "csv": "#d1762b"}


@dataclass(frozen=True)
class Estimate:
    """The estimate for one data set at one concurrency."""

    shards: int
    shard_seconds: float
    minutes: float
    dollars: float
    gets_per_second: float
    puts_per_second: float
    bound: str


def estimate(result: dict[str, Any], kind: str, input_mb: float, concurrency: int) -> Estimate:
    """Return time and cost of ``input_mb`` of input."""
    step = result["rates"][kind]
    growth = step["output_mb"] / step["input_mb"]
    output_mb = input_mb * growth
    shards = max(1, ceil(output_mb / SHARD_MB))
    at_once = min(concurrency, shards)
    read, written = input_mb / shards, output_mb / shards
    limits = {
        "processor": read / step["input_mb_per_cpu_second"],
        "network": max(read, written) / NETWORK_MB_PER_SECOND,
        "S3 requests": max(
            read / GET_MB * at_once / GETS_PER_SECOND, written / PUT_MB * at_once / PUTS_PER_SECOND
        ),
    }
    bound = max(limits, key=lambda name: limits[name])
    busy = limits[bound]
    shard_seconds = busy + START_SECONDS
    listing = result["count"]["plan"]["seconds"] + result["count"]["seal"]["seconds"] * shards / 10_000
    gets, puts = ceil(read / GET_MB) + 3, ceil(written / PUT_MB) + 3
    lists = 1 if shards > SHARDS_OF_GROUP else 0
    dollars = shards * (
        shard_seconds * MEMORY_GB * DOLLARS_PER_GB_SECOND
        + DOLLARS_PER_INVOCATION
        + TRANSITIONS_PER_SHARD * DOLLARS_PER_TRANSITION
        + gets * DOLLARS_PER_GET
        + puts * DOLLARS_PER_PUT
        + lists * DOLLARS_PER_LIST
    )
    return Estimate(
        shards=shards,
        shard_seconds=shard_seconds,
        minutes=(ceil(shards / at_once) * shard_seconds + listing) / 60,
        dollars=dollars,
        gets_per_second=read / GET_MB * at_once / busy,
        puts_per_second=written / PUT_MB * at_once / busy,
        bound=bound,
    )


def seconds_of_steps(
    result: dict[str, Any], kind: str, input_mb: float, concurrency: int
) -> dict[str, float]:
    """Return the seconds of each step, which are those of the estimate."""
    whole = estimate(result, kind, input_mb, concurrency)
    rounds = ceil(whole.shards / min(concurrency, whole.shards))
    return {
        "Plan": result["count"]["plan"]["seconds"],
        "cold starts": rounds * START_SECONDS,
        "Encode": rounds * (whole.shard_seconds - START_SECONDS),
        "Seal": result["count"]["seal"]["seconds"] * whole.shards / 10_000,
    }


def minute(result: dict[str, Any]) -> str:
    """Return the picture of a minute of an execution, by input."""
    size, at_once = SIZES["10 GB"], CONCURRENCIES[0]
    return draw_minute(
        {
            label.replace("`", ""): seconds_of_steps(result, kind, size, at_once)
            for kind, label in KINDS.items()
        }
    )


def tables(result: dict[str, Any]) -> str:
    """Return the measured rates and the estimates as Markdown."""
    told = result["machine"]
    lines = [
        f"{told['processor']}, {told['processors']} cores, Python {told['python']}. Load at the end: "
        f"{told['load_average']}; above {told['processors']}, wall-clock seconds are too long.",
        "",
        "| input | MB/s of input a core | MB/s of shards a core | peak memory, MB |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {step['input_mb_per_cpu_second']:,.0f} | {step['output_mb_per_cpu_second']:,.0f} | "
        f"{step['peak_mb']:,.0f} |"
        for name, step in result["rates"].items()
    ]
    lines += [
        "",
        "| through the emulator | input, MB | shards | Plan | Encode | Seal | peak memory of each, MB |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind, run in result["data"].items():
        peaks = " / ".join(f"{run[step]['peak_mb']:,.0f}" for step in ("plan", "encode", "seal"))
        lines.append(
            f"| {kind} | {run['input_mb']:,.0f} | {run['shards']} | {run['plan']['seconds']:.1f} s | "
            f"{run['encode']['seconds']:.1f} s, {run['encode']['input_mb_per_second']:,.0f} MB/s | "
            f"{run['seal']['seconds']:.1f} s | {peaks} |"
        )
    many = result["count"]
    payload = max(many["payload_bytes"], key=lambda name: many["payload_bytes"][name])
    lines += [
        "",
        f"| {many['objects']:,} objects, {many['shards']:,} shards | seconds | peak memory, MB |",
        "|---|---|---|",
        f"| Plan | {many['plan']['seconds']:.1f} | {many['plan']['peak_mb']:,.0f} |",
        f"| Seal | {many['seal']['seconds']:.1f} | {many['seal']['peak_mb']:,.0f} |",
        f"| Plan, when the RecordSet is complete | {many['plan_when_complete']['seconds']:.1f} | "
        f"{many['plan_when_complete']['peak_mb']:,.0f} |",
        "",
        f"The largest payload of any state was {many['payload_bytes'][payload]:,} bytes ({payload}).",
        "",
        "| data | shards | functions at once | time | cost | held back by | S3 requests a second |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind, label in KINDS.items():
        for size, input_mb in SIZES.items():
            for concurrency in CONCURRENCIES:
                one = estimate(result, kind, input_mb, concurrency)
                if one.shards <= CONCURRENCIES[0] and concurrency > CONCURRENCIES[0]:
                    continue  # there are no more shards to run at once
                lines.append(
                    f"| {size} of {label} | {one.shards:,} | {min(concurrency, one.shards):,} | "
                    f"{_duration(one.minutes)} | ${one.dollars:,.2f} | {one.bound} | "
                    f"{one.gets_per_second:,.0f} GET, {one.puts_per_second:,.0f} PUT |"
                )
    return "\n".join(lines)


def _duration(minutes: float) -> str:
    if minutes < 1:
        return f"{minutes * 60:.0f} s"
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"


def with_figures(page: str, result: dict[str, Any]) -> str:
    """Return the page with the tables between its marks."""
    before, _, rest = page.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    return f"{before}{MARKS[0]}\n{tables(result)}\n{MARKS[1]}{after}"


# The picture: time over size, both logarithmic, with the cost at each point.

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 860, 420, 84, 150, 56, 56
SECONDS = {"10 s": 10, "1 min": 60, "10 min": 600, "1 h": 3_600, "10 h": 36_000}


def draw(result: dict[str, Any]) -> str:
    """Return the estimates as an SVG."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" font-family="system-ui, sans-serif" font-size="12" fill="#24292f">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _text(16, 24, "From objects to a sealed RecordSet: time by size, and what it costs", weight="bold"),
        _text(16, 42, "dashed: 100 functions at once, the default; solid: 1,000"),
    ]
    for name, seconds in SECONDS.items():
        parts.append(_line(LEFT, _y(seconds), WIDTH - RIGHT, _y(seconds), "#d0d7de"))
        parts.append(_text(LEFT - 8, _y(seconds) + 4, name, anchor="end"))
    for name, input_mb in SIZES.items():
        parts.append(_text(_x(input_mb), HEIGHT - BOTTOM + 24, name, anchor="middle"))
    for kind, color in COLORS.items():  # Parquet's lines would lie on those of CSV
        label = KINDS[kind]
        for concurrency in CONCURRENCIES:
            points = [(size, estimate(result, kind, size, concurrency)) for size in SIZES.values()]
            path = " ".join(f"{_x(size):.1f},{_y(one.minutes * 60):.1f}" for size, one in points)
            dash = ' stroke-dasharray="5 4"' if concurrency == CONCURRENCIES[0] else ""
            parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"{dash}/>')
            parts += [
                f'<circle cx="{_x(size):.1f}" cy="{_y(one.minutes * 60):.1f}" r="3.5" fill="{color}"/>'
                for size, one in points
            ]
            size, one = points[-1]
            text = f"{label.strip('`').replace('`', '')}: ${one.dollars:,.0f}"
            parts.append(_text(_x(size) + 10, _y(one.minutes * 60) + 4, text))
    return "\n".join([*parts, "</svg>", ""])


def _x(input_mb: float) -> float:
    low, high = log10(min(SIZES.values())), log10(max(SIZES.values()))
    return LEFT + 30 + (WIDTH - LEFT - RIGHT - 40) * (log10(input_mb) - low) / (high - low)


def _y(seconds: float) -> float:
    low, high = log10(min(SECONDS.values())), log10(max(SECONDS.values()))
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (log10(seconds) - low) / (high - low)


def _line(x: float, y: float, to_x: float, to_y: float, color: str) -> str:
    return f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{color}"/>'


def _text(x: float, y: float, content: str, *, anchor: str = "start", weight: str = "normal") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}">{content}</text>'


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true")
    result = json.loads(RESULTS.read_text())
    print(tables(result))
    if parser.parse_args().write:
        PAGE.write_text(with_figures(PAGE.read_text("utf-8"), result), "utf-8")
        PICTURE.parent.mkdir(exist_ok=True)
        PICTURE.write_text(draw(result), "utf-8")
        MINUTE.write_text(minute(result), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
