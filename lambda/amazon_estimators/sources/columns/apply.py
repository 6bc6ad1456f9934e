"""Make feature vectors of a table by its rules: one function for pipelines, clients and predictions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from amazon_estimators.sources.blocks import Block, SparseRows
from amazon_estimators.sources.columns.faults import ColumnFault, ColumnFaultsError
from amazon_estimators.sources.columns.rules import OTHER, Recipe
from amazon_estimators.sources.columns.table import Column, Table

BLOCK_BYTES = 2 * 2**20
"""Bytes of float32 features that are made at a time: a column of a thousand words is a thousand of them."""
SPARSE_BYTES = 24
"""What a feature of a sparse row takes while it is made."""
GAP = -2


def blocks_of(table: Table, recipe: Recipe) -> Iterator[Block]:
    """Return the rows as features and labels, a block of bounded size at a time.

    The last block counts rows that were left out at the end, so that ``read`` adds up to the table's rows.

    Raises:
        ColumnFaultsError: Values that no rule makes numbers of, in rows that are not left out.
    """
    width = len(recipe.features) * SPARSE_BYTES if recipe.rules.sparse else 4 * recipe.starts[-1]
    return _blocks(table, recipe, max(1, BLOCK_BYTES // width))


def block_of(table: Table, recipe: Recipe) -> Block:
    """Return all rows of a table as one block. Raises what :func:`blocks_of` raises."""
    return next(_blocks(table, recipe, table.rows_read + 1))


def kept_rows(table: Table, recipe: Recipe) -> np.ndarray | None:
    """Return the rows that are not left out; None for all. Raises what :func:`blocks_of` raises."""
    return _kept(table, _ready(table, recipe), recipe)


def _ready(table: Table, recipe: Recipe) -> dict[int, _Ready]:
    return {position: _Ready.of(position, table.columns[position], recipe) for position in recipe.used}


def _blocks(table: Table, recipe: Recipe, at_once: int) -> Iterator[Block]:
    ready = _ready(table, recipe)
    kept = _kept(table, ready, recipe)
    rows = table.rows_read if kept is None else len(kept)
    make = _sparse if recipe.rules.sparse else _dense
    read = 0
    for start in range(0, max(rows, 1), at_once):
        stop = min(start + at_once, rows)
        chosen: Any = slice(start, stop) if kept is None else kept[start:stop]
        last = table.rows_read if stop == rows else int(chosen[-1]) + 1 if kept is not None else stop
        label = None if recipe.label is None else ready[recipe.label].values[chosen]
        written_value = partial(
            _written_value, table, recipe, np.arange(start, stop) if kept is None else chosen
        )
        places = None if kept is None else chosen - read
        yield Block(
            make(ready, recipe, chosen, stop - start), label, written_value, read=last - read, places=places
        )
        read = last


@dataclass(frozen=True)
class _Ready:
    """A column as numbers, or as places among its features; ``gaps`` are those that nothing fills."""

    values: np.ndarray
    gaps: np.ndarray | None
    wrong: np.ndarray | None = None
    """True for values that are not listed, where they are refused."""

    @property
    def faults(self) -> Iterator[tuple[Literal["gap", "unknown"], np.ndarray]]:
        """Positions of missing values, and of refused ones."""
        if self.gaps is not None:
            yield "gap", self.gaps
        if self.wrong is not None:
            yield "unknown", self.wrong

    @classmethod
    def of(cls, position: int, column: Column, recipe: Recipe) -> _Ready:
        rules = recipe.rules
        fill = dict(rules.fill).get(position)
        if position in recipe.words:
            return cls._of_words(position, column, recipe, fill)
        values, gaps = column.values, column.gaps
        if rules.may_lack(position) and values.dtype.kind == "f":
            nan = np.isnan(values)
            gaps = nan if gaps is None else gaps | nan
        if gaps is not None and not gaps.any():
            gaps = None
        if gaps is not None and fill is not None:
            values, gaps = np.where(gaps, _like(fill, values), values), None
        scale = dict(rules.scale).get(position)
        if scale is not None:
            mean, deviation = scale
            values = (values.astype(np.float64) - mean) / deviation
        return cls(values, gaps)

    @classmethod
    def _of_words(cls, position: int, column: Column, recipe: Recipe, fill: float | str | None) -> _Ready:
        codes = coded(position, column, recipe)
        gaps = codes == GAP
        if gaps.any() and fill is not None:
            codes[gaps] = _code_of(position, str(fill), recipe)
            gaps = np.zeros(0, bool)
        unknown = codes == -1
        one_hot = dict(recipe.rules.one_hot).get(position)
        if recipe.rules.unknown == OTHER and one_hot is not None:
            codes[unknown] = len(one_hot)
            unknown = np.zeros(0, bool)
        refused = recipe.rules.unknown == "refuse" or one_hot is None
        return cls(codes, gaps if gaps.any() else None, unknown if refused and unknown.any() else None)


def _like(fill: float | str, values: np.ndarray) -> np.ndarray:
    """Return what fills gaps in the type of the values, if that holds it: whole labels stay whole."""
    number = np.array(fill)
    with np.errstate(over="ignore"):
        cast = number.astype(values.dtype)
    exact = values.dtype == np.float32 or np.array_equal(cast.astype(number.dtype), number)
    return cast if exact and np.isfinite(cast) else number


def coded(position: int, column: Column, recipe: Recipe) -> np.ndarray:
    """Return a column of words or ids as places among its features, or among the classes of the label; below
    0 for unknown ones and gaps."""
    from amazon_estimators.sources.columns import words  # noqa: PLC0415 - the table reader, if words need it

    if column.word is not None:
        codes: np.ndarray = column.values.astype(np.int64)
        return codes
    if (categories := recipe.categories(position)) is not None:
        return words.places(column, categories)
    return words.buckets(column, dict(recipe.rules.hashed)[position])


def _code_of(position: int, word: str, recipe: Recipe) -> int:
    import pyarrow as pa  # noqa: PLC0415

    code: int = coded(position, Column(pa.array([word.encode()], pa.binary())), recipe)[0]
    return code


def _kept(table: Table, ready: dict[int, _Ready], recipe: Recipe) -> np.ndarray | None:
    """Return the rows that are kept; None for all. Raises ColumnFaultsError for what is wrong in them."""
    lacking = np.zeros(table.rows_read, bool)
    if recipe.rules.drop_incomplete:
        for column in ready.values():
            if column.gaps is not None:
                lacking |= column.gaps
    faults = [
        ColumnFault(position, kind, np.flatnonzero(mask & ~lacking), table.columns[position])
        for position, column in ready.items()
        for kind, mask in column.faults
        if (mask & ~lacking).any()
    ]
    if faults:
        raise ColumnFaultsError(faults, table.rows_read)
    return np.flatnonzero(~lacking) if lacking.any() else None


def _dense(ready: dict[int, _Ready], recipe: Recipe, chosen: Any, rows: int) -> np.ndarray:
    features = np.zeros((rows, recipe.starts[-1]), np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        for position, start in zip(recipe.features, recipe.starts, strict=False):
            values = ready[position].values[chosen]
            if position in recipe.words:
                known = np.flatnonzero(values >= 0)
                features[known, start + values[known]] = 1
            else:
                features[:, start] = values
    return features


def _sparse(ready: dict[int, _Ready], recipe: Recipe, chosen: Any, rows: int) -> SparseRows:
    """Return rows without the zeros: of a column of words one feature, of a number itself."""
    shape = (rows, len(recipe.features))
    values, indices = np.ones(shape, np.float32), np.empty(shape, np.int64)
    there = np.ones(shape, bool)
    with np.errstate(over="ignore", invalid="ignore"):
        for at, (position, start) in enumerate(zip(recipe.features, recipe.starts, strict=False)):
            column = ready[position].values[chosen]
            if position in recipe.words:
                indices[:, at], there[:, at] = start + column, column >= 0
            else:
                indices[:, at], values[:, at], there[:, at] = start, column, column != 0
    ends = np.concatenate(([0], np.cumsum(there.sum(axis=1))))
    return SparseRows(values[there], indices[there], ends, recipe.starts[-1])


def _written_value(table: Table, recipe: Recipe, chosen: np.ndarray, row: int, feature: int | None) -> Any:
    """Return the value that the input has there."""
    position = recipe.label
    if feature is not None:
        position = recipe.features[int(np.searchsorted(recipe.starts, feature, side="right")) - 1]
    assert position is not None
    column, at = table.columns[position], chosen[row]
    value = column.values[at]
    rules = recipe.rules
    if position in recipe.words:
        return value
    if position in dict(rules.fill) and ((column.gaps is not None and column.gaps[at]) or np.isnan(value)):
        value = dict(rules.fill)[position]
    if position in dict(rules.scale):
        mean, deviation = dict(rules.scale)[position]
        with np.errstate(over="ignore"):
            return (float(value) - mean) / deviation
    return value
