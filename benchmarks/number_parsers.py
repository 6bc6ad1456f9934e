"""Compare parsers of decimal numbers on one CSV: ``benchmarks/number_parsers.py [--megabytes N] [--write]``.

Measures each library that is installed, and leaves the others out:

- MB of text per second of processor time on one thread, best of nine, and its ratio to pyarrow in the same
  process, median of nine pairs
- whether every float64 is the nearest one, what becomes of damaged text, and the library's size on disk

``--write`` keeps the figures in benchmarks/results/number_parsers.json and writes them into docs/scale.md. To
have all libraries, install them beside NumPy and pyarrow in a virtual environment of its own:

    pip install polars duckdb pandas datatable datafusion arro3-io arro3-core daft chdb pysimdjson fastnumbers
"""

# ruff: noqa: PLC0415 - each process loads only what it measures
from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "lambda"))

from machine import machine  # noqa: E402

from amazon_estimators.pipeline import allocator  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "number_parsers.json"
PAGE = ROOT / "docs" / "scale.md"
MARKS = ("<!-- number parsers -->", "<!-- end of number parsers -->")

COLUMNS = 50
TEXTS = {"6 digits": "%.6g", "17 digits": "%.17g"}
ROUNDS = 9
REFUSED = "refused"
RATIO = "of pyarrow's"
DAMAGED = {
    "short row": b"1,2,3\n4,5\n7,8,9\n",
    "long row": b"1,2,3\n4,5,6,7\n7,8,9\n",
    "word": b"1,2,3\n4,x,6\n7,8,9\n",
    "number and unit": b"1,2,3\n4,5kg,6\n7,8,9\n",
    "true": b"1,2,3\n4,true,6\n7,8,9\n",
    "nothing": b"1,2,3\n4,,6\n7,8,9\n",
    "open quote": b'1,2,3\n4,"5,6\n7,8,9\n',
    "NUL": b"1,2,3\n4,5\0,6\n7,8,9\n",
    "no UTF-8": b"1,2,3\n4,\xff,6\n7,8,9\n",
    "a list": b"1,2,3\n4,[5],6\n7,8,9\n",
}
"""Text that must be refused."""
READ: dict[str, tuple[bytes, list[list[float]]]] = {
    "blanks": (b"1,2,3\n4, 5 ,6\n", [[1, 2, 3], [4, 5, 6]]),
    "signs, bare points": (b"1,2,3\n+4,.5,6.\n", [[1, 2, 3], [4, 0.5, 6]]),
    "beyond float64": (b"1,2,3\n4,1e400,6\n", [[1, 2, 3], [4, float("inf"), 6]]),
}
"""Text that must be read, and its numbers: 1e400 is refused later, by the name of its row and column."""
HARD = (
    "9007199254740993",
    "0.500000000000000166533453693773481063544750213623046875",
    "1.00000000000000011102230246251565404236316680908203126",
    "3.2378839133029012895883524125015321748630e-319",
    "2.2250738585072011e-308",
    "1.7976931348623158e308",
    "6.02214076e23",
    "8.988465674311579538646525953945123668089e307",
)
"""Numbers between two neighbours: a parser that rounds twice, or not exactly, takes the wrong one."""

Parser = Callable[[bytes, str, int], Sequence[np.ndarray]]
"""Reads ``(text, path, columns)``, the same text in memory and in a file, to float64 columns."""


def pyarrow(text: bytes, path: str, columns: int) -> Sequence[np.ndarray]:
    import pyarrow as pa
    from pyarrow import csv

    names = [str(at) for at in range(columns)]
    types = dict.fromkeys(names, pa.float64())
    read = csv.ReadOptions(use_threads=False, column_names=names)
    parse = csv.ParseOptions(quote_char='"' if b'"' in text else False)
    convert = csv.ConvertOptions(column_types=types, null_values=[""])
    return _arrow(csv.read_csv(pa.BufferReader(text), read, parse, convert))


def polars(text: bytes, path: str, columns: int) -> Sequence[np.ndarray]:
    import polars as pl

    schema = {f"c{at}": pl.Float64 for at in range(columns)}
    frame = pl.read_csv(text, has_header=False, schema=schema)
    return _without_nulls([column.to_numpy() for column in frame], frame.null_count().to_numpy().sum())


def duckdb(text: bytes, path: str, columns: int) -> Sequence[np.ndarray]:
    import duckdb

    names = ", ".join(f"'c{at}': 'DOUBLE'" for at in range(columns))
    base = duckdb.connect(config={"threads": 1})
    found = base.execute(
        f"SELECT * FROM read_csv('{path}', header=false, auto_detect=false, delim=',', quote='\"', "
        f"escape='\"', columns={{{names}}}, parallel=false)"
    ).fetchnumpy()
    return _without_nulls(list(found.values()), sum(np.ma.count_masked(column) for column in found.values()))


def pandas(precision: str) -> Parser:
    def read(text: bytes, path: str, columns: int) -> Sequence[np.ndarray]:
        import pandas as pd

        frame = pd.read_csv(
            io.BytesIO(text),
            header=None,
            names=list(range(columns)),
            index_col=False,
            dtype=np.float64,
            float_precision=precision,
        )
        return [frame[column].to_numpy() for column in frame]

    return read


def datatable(text: bytes, path: str, columns: int) -> Sequence[np.ndarray]:
    import datatable as dt

    frame = dt.fread(text=text, header=False, sep=",", columns=[dt.float64] * columns, nthreads=1)
    return list(frame.to_numpy().T)


def datafusion(text: bytes, path: str, columns: int) -> Sequence[np.ndarray]:
    import datafusion as df
    import pyarrow as pa

    context = df.SessionContext(df.SessionConfig().with_target_partitions(1))
    schema = pa.schema([(f"c{at}", pa.float64()) for at in range(columns)])
    frame = context.read_csv(path, schema=schema, has_header=False, file_extension=".csv")
    return _arrow(pa.Table.from_batches(frame.collect(), schema=schema))


def arrow_rs(text: bytes, path: str, columns: int) -> Sequence[np.ndarray]:
    import pyarrow as pa
    from arro3.core import DataType, Field, Schema
    from arro3.io import read_csv

    schema = Schema([Field(f"c{at}", DataType.float64()) for at in range(columns)])
    if b"\0" in text:
        raise ValueError("a NUL in a number ends the process: the message about it cannot be handed on")
    reader = read_csv(io.BytesIO(text), schema, has_header=False, batch_size=8192)
    return _arrow(pa.table(reader.read_all()))


def daft(text: bytes, path: str, columns: int) -> Sequence[np.ndarray]:
    import daft

    schema = {f"c{at}": daft.DataType.float64() for at in range(columns)}
    return _arrow(daft.read_csv(path, schema=schema, has_headers=False, infer_schema=False).to_arrow())


def clickhouse(text: bytes, path: str, columns: int) -> Sequence[np.ndarray]:
    import chdb
    import pyarrow as pa

    names = ", ".join(f"c{at} Float64" for at in range(columns))
    answer = chdb.query(
        f"SELECT * FROM file('{path}', 'CSV', '{names}') SETTINGS max_threads=1, "
        "input_format_parallel_parsing=0, input_format_defaults_for_omitted_fields=0, "
        "input_format_csv_empty_as_default=0, precise_float_parsing=1",
        "ArrowStream",
    )
    return _arrow(pa.ipc.open_stream(answer.bytes()).read_all())


def simdjson(*, checked: bool) -> Parser:
    def read(text: bytes, path: str, columns: int) -> Sequence[np.ndarray]:
        """Read the CSV as one JSON array. JSON knows no rows: ``checked`` counts each one's numbers."""
        import simdjson

        document = b"[" + text.removesuffix(b"\n").replace(b"\n", b",") + b"]"
        values = np.frombuffer(simdjson.Parser().parse(document).as_buffer(of_type="d"))
        if checked:
            octets = np.frombuffer(text, np.uint8)
            newlines = octets == ord("\n")
            marks = np.flatnonzero(newlines | (octets == ord(",")))
            ends = octets[marks[columns - 1 :: columns]]
            if len(marks) != len(values) or np.count_nonzero(newlines) * columns != len(marks):
                raise ValueError("rows differ")
            if (ends != ord("\n")).any() or any(mark in text for mark in (b"[", b"{", b'"')):
                raise ValueError("rows differ")
            if b"-0," in text or b"-0\n" in text:
                raise ValueError("-0 is read as a whole number, which has no sign")
        return list(values.reshape(-1, columns).T)

    return read


def fastnumbers(text: bytes, path: str, columns: int) -> Sequence[np.ndarray]:
    from fastnumbers import try_array

    words = text.decode().removesuffix("\n").replace("\n", ",").split(",")
    return list(try_array(words, dtype=np.float64).reshape(-1, columns).T)


def loadtxt(text: bytes, path: str, columns: int) -> Sequence[np.ndarray]:
    return list(np.loadtxt(io.BytesIO(text), delimiter=",", ndmin=2).T)


PARSERS: dict[str, tuple[Parser, tuple[str, ...]]] = {
    "pyarrow": (pyarrow, ("pyarrow",)),
    "polars": (polars, ("polars", "polars-runtime-32")),
    "DuckDB": (duckdb, ("duckdb",)),
    "pandas, high": (pandas("high"), ("pandas",)),
    "pandas, round_trip": (pandas("round_trip"), ("pandas",)),
    "datatable": (datatable, ("datatable",)),
    "DataFusion": (datafusion, ("datafusion",)),
    "arrow-rs, by arro3": (arrow_rs, ("arro3-io", "arro3-core")),
    "Daft": (daft, ("daft",)),
    "ClickHouse, by chdb": (clickhouse, ("chdb", "chdb-core")),
    "simdjson, numbers only": (simdjson(checked=False), ("pysimdjson",)),
    "simdjson, rows checked": (simdjson(checked=True), ("pysimdjson",)),
    "fastnumbers": (fastnumbers, ("fastnumbers",)),
    "NumPy, loadtxt": (loadtxt, ("numpy",)),
}


def _arrow(table: Any) -> Sequence[np.ndarray]:
    nulls = sum(column.null_count for column in table.columns)
    columns = [column.combine_chunks() for column in table.columns]
    return _without_nulls([] if nulls else [np.from_dlpack(column) for column in columns], nulls)


def _without_nulls(columns: Sequence[np.ndarray], nulls: int) -> Sequence[np.ndarray]:
    """Return the columns. Raises ValueError for nulls: what a caller can count is not lost in silence."""
    if nulls:
        raise ValueError(f"{nulls} nulls")
    return columns


def text_of(form: str, size: int) -> bytes:
    """Return ``size`` bytes of CSV with numbers in this form, or a bit less."""
    table = np.random.default_rng(1).normal(size=(5_000, COLUMNS))
    block = "".join(",".join(form % value for value in row) + "\n" for row in table.tolist()).encode()
    return block * max(1, size // len(block))


def measure(name: str, size: int) -> dict[str, Any]:
    """Return the figures of one parser; run in a process of its own."""
    parser, packages = PARSERS[name]
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "a.csv"

        def read(text: bytes, columns: int) -> Sequence[np.ndarray]:
            path.write_bytes(text)
            return parser(text, str(path), columns)

        def numbers(text: bytes, columns: int) -> Any:
            try:
                rows = np.array(read(text, columns), np.float64).T.tolist()
            except Exception as error:  # each library has errors of its own
                return f"{REFUSED}: {type(error).__name__}"
            return [[repr(value) for value in row] for row in rows]

        rates = {}
        for label, form in TEXTS.items():
            text = text_of(form, size)
            path.write_bytes(text)
            pairs = [[_seconds(one, text, str(path)) for one in (parser, pyarrow)] for _ in range(ROUNDS)]
            rates[label] = {
                "MB/s per core": round(len(text) / 1e6 / min(own for own, _ in pairs)),
                RATIO: round(median(beside / own for own, beside in pairs), 2),
            }
        hard = numbers("".join(f"{number},1.5,1.5\n" for number in HARD).encode(), 3)
        wrong = [
            number
            for at, number in enumerate(HARD)
            if isinstance(hard, str) or at >= len(hard) or float(hard[at][0]) != float(number)
        ]
        silent = {
            damage: rows for damage, text in DAMAGED.items() if not isinstance(rows := numbers(text, 3), str)
        }
        strict = {
            kind: rows
            for kind, (text, right) in READ.items()
            if (rows := numbers(text, 3)) != [[repr(float(value)) for value in row] for row in right]
        }
    return {
        "version": distribution(packages[0]).version,
        "rates": rates,
        "unzipped MB": round(sum(map(_size, packages)), 1),
        "numbers read wrong": wrong,
        "damage read in silence": silent,
        "numbers refused or read otherwise": strict,
    }


def _seconds(parser: Parser, text: bytes, path: str) -> float:
    started = time.process_time()
    parser(text, path, COLUMNS)
    return time.process_time() - started


def _size(package: str) -> float:
    files = distribution(package).files or []
    paths = [Path(str(file.locate())) for file in files if "__pycache__" not in str(file)]
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6


def is_installed(name: str) -> bool:
    try:
        return all(distribution(package) for package in PARSERS[name][1])
    except PackageNotFoundError:
        return False


def table(result: dict[str, Any]) -> str:
    """Return the figures as Markdown."""
    told = result["machine"]
    lines = [
        f"{told['processor']}, Python {told['python']}. In parentheses: the ratio to pyarrow.",
        "",
        "| parser | MB/s a core, 6 digits | 17 digits | numbers read wrong | damage read in silence | "
        "refused, or read otherwise | MB unzipped |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, found in result["parsers"].items():
        rates = [f"{one['MB/s per core']} ({one[RATIO]:.2f})" for one in found["rates"].values()]
        wrong = f"{len(found['numbers read wrong'])} of {len(HARD)}"
        silent = ", ".join(found["damage read in silence"]) or "none"
        other = ", ".join(found["numbers refused or read otherwise"]) or "none"
        lines.append(
            f"| {name} {found['version']} | {' | '.join(rates)} | {wrong} | {silent} | {other} | "
            f"{found['unzipped MB']:,.0f} |"
        )
    return "\n".join(lines)


def with_table(page: str, result: dict[str, Any]) -> str:
    """Return the page with the table between its marks."""
    before, _, rest = page.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    return f"{before}{MARKS[0]}\n{table(result)}\n{MARKS[1]}{after}"


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument(
        "--megabytes", type=float, default=8, help="of each text; default: 8, as Encode reads it"
    )
    options.add_argument("--write", action="store_true")
    options.add_argument("--parser", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    size = int(chosen.megabytes * 1e6)
    if chosen.parser:
        print(json.dumps(measure(chosen.parser, size)))
        return
    one_thread = {"POLARS_MAX_THREADS": "1", "RAYON_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    variables = os.environ | allocator.ENVIRONMENT | one_thread
    found: dict[str, Any] = {}
    for name in filter(is_installed, PARSERS):
        command = [sys.executable, __file__, "--parser", name, "--megabytes", str(chosen.megabytes)]
        done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{name} fails: {done.stderr[-500:]}", file=sys.stderr)
            continue
        found[name] = json.loads(done.stdout.splitlines()[-1])
        print(name, json.dumps(found[name]), flush=True)
    if chosen.write:
        result = {"machine": machine(), "parsers": found}
        RESULTS.write_text(json.dumps(result, indent=1) + "\n")
        PAGE.write_text(with_table(PAGE.read_text("utf-8"), result), "utf-8")


if __name__ == "__main__":
    main()
