"""Which labels a channel requires, against where each format has them: the whole table."""

from __future__ import annotations

import pytest

from amazon_estimators.algorithms.channel_rules import ChannelRule
from amazon_estimators.algorithms.label_rule import (
    ADD_THEM,
    DROP_THEM,
    KEEP_THEM,
    LEAVE_IT_OUT,
    NAME_IT,
    label_fault,
    label_problem,
)
from amazon_estimators.sources import Schema, Source
from amazon_estimators.sources.formats import FORMATS

NAMED, UNNAMED, DROPPED = Source(label=0), Source(), Source(keep_labels=False)
PLAIN = {
    # where the format has labels, Source: the remedy where one is required, the remedy where none is taken
    ("column", NAMED): (None, LEAVE_IT_OUT),
    ("column", UNNAMED): (NAME_IT, None),
    ("column", DROPPED): (NAME_IT, None),  # says nothing of columns
    ("each", UNNAMED): (None, DROP_THEM),
    ("each", DROPPED): (KEEP_THEM, None),
    ("any", UNNAMED): (None, None),  # only the records tell
    ("any", DROPPED): (KEEP_THEM, None),
    ("line", UNNAMED): (None, None),
    ("auto", UNNAMED): (None, None),
    ("auto", DROPPED): (None, None),
    ("auto", NAMED): (None, LEAVE_IT_OUT),
}


@pytest.mark.parametrize("name", ["auto", *FORMATS])
@pytest.mark.parametrize("source", [NAMED, UNNAMED, DROPPED], ids=["named", "unnamed", "dropped"])
@pytest.mark.parametrize("required", ["required", "none", "optional"])
def test_every_format(name: str, source: Source, required: str) -> None:
    kind = FORMATS[name].labels if name in FORMATS else "auto"
    if (kind, source) not in PLAIN:
        return  # a Source of that format cannot be written
    rule = ChannelRule("train", required=True, label=required)  # type: ignore[arg-type]
    if_required, if_none = PLAIN[kind, source]
    problem = label_problem(rule, source, name)
    expected = {"required": if_required, "none": if_none, "optional": None}[required]
    assert (problem and problem.remedy) == expected
    assert problem is None or "channel train" in problem.message


def test_a_sparse_matrix_has_no_column_to_name() -> None:
    rule = ChannelRule("train", required=True, label="required")
    schema = Schema(width=9, names=None, features=None, label=None, sparse=True)
    problem = label_problem(rule, Source(), "npz", schema, "s3://b/a.npz")
    assert problem and problem.remedy == ADD_THEM


@pytest.mark.parametrize("label", ["required", "optional", "none"])
@pytest.mark.parametrize("labelled", [True, False, None])
def test_faults(label: str, labelled: bool | None) -> None:
    rule = ChannelRule("train", required=True, label=label)  # type: ignore[arg-type]
    expected = {("required", False): "missing", ("none", True): "unwanted"}.get((label, bool(labelled)))
    assert label_fault(rule, labelled) == (None if labelled is None else expected)
