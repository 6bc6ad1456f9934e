"""A Source that no input can satisfy is refused where it is written: value, allowed, way out."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from amazon_estimators.errors import RequestError
from amazon_estimators.sources import Source
from amazon_estimators.sources.formats import FORMATS, formats_with
from amazon_estimators.sources.schema import Schema
from amazon_estimators.sources.source import ALWAYS

ALLOWED = "allowed: auto, npy, csv, parquet, npz, libsvm, recordio, jsonlines"

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"prefix": 3}, "prefix is 3; allowed: the beginning of a key"),
    ({"format": "xml"}, f"format is 'xml'; {ALLOWED}"),
    ({"format": 3}, f"format is 3; {ALLOWED}"),
    ({"format": None}, f"format is None; {ALLOWED}"),
    ({"format": ["csv"]}, f"format is ['csv']; {ALLOWED}"),
    ({"format": "CSV"}, "did you mean 'csv'?"),
    ({"format": "pq"}, "did you mean 'parquet'?"),
    ({"format": "svmlight"}, "did you mean 'libsvm'?"),
    ({"format": "json"}, "did you mean 'jsonlines'?"),
    ({"features": "price"}, "features is 'price'; allowed: a list of columns, such as ['price']"),
    ({"exclude": "price"}, "exclude is 'price'; allowed: a list of columns, such as ['price']"),
    ({"features": 3}, "features is 3; allowed: a list of columns"),
    ({"features": {"price": 1}}, "features is {'price': 1}; allowed: a list of columns"),
    ({"exclude": None}, "exclude is None; allowed: a list of columns"),
    ({"label": [0]}, "[0] is not a column; allowed: a position (int) or a name (str)"),
    ({"features": [[0], [0]]}, "[0] is not a column"),
    ({"features": [0, True]}, "True is not a column"),
    ({"features": ()}, "features is empty; leave it out"),
    ({"features": (0,), "exclude": (1,)}, "features and exclude are both given"),
    ({"features": ("a", "b", "a")}, "features holds 'a' more than once; allowed: each column once"),
    ({"features": (0, 1, 1, 0)}, "features holds 0, 1 more than once"),
    ({"label": "y", "features": ("x", "y")}, "label is 'y', and features holds it too; leave it out of"),
    ({"label": 0, "features": (0,)}, "label is 0, and features holds it too"),
    (
        {"format": "npy", "label": "y"},
        "format 'npy' has no column names, so there is no 'y'; allowed: positions",
    ),
    (
        {"format": "csv", "header": "absent", "exclude": ("a", 1, "b")},
        "header is 'absent', so there is no column 'a', 'b'; allowed: positions",
    ),
    ({"format": "parquet", "compression": "gzip"}, "compression is 'gzip', and format 'parquet'"),
]


@pytest.mark.parametrize(("options", "text"), REFUSED, ids=lambda one: str(one)[:40])
def test_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(RequestError) as raised:
        Source(**options)
    assert str(raised.value).startswith("Source: ")
    assert text in str(raised.value)


OTHER_VALUES: dict[str, Any] = {
    "compression": "zstd",
    "label": 0,
    "features": (1, 2),
    "exclude": (1, 2),
    "header": "present",
    "delimiter": ";",
    "quoting": "none",
    "escape": "\\",
    "decimal": ",",
    "quoted_newlines": False,
    "feature_count": 9,
    "first_index": 0,
    "keep_labels": False,
    "fill": {0: 1},
    "drop_incomplete": True,
    "one_hot": {0: ("a",)},
    "unknown": "zeros",
    "hashed": {0: 8},
    "scale": {0: (1, 2)},
    "classes": ("no", "yes"),
}
COMPANIONS: dict[str, Any] = {"unknown": {"one_hot": {0: ("a",)}}, "classes": {"label": 0}}
"""Options without which another has no meaning."""


def test_every_option_is_for_some_formats() -> None:
    assert {one.name for one in fields(Source)} == {*OTHER_VALUES, *ALWAYS}
    assert all(formats_with(option) for option in OTHER_VALUES)


@pytest.mark.parametrize("option", OTHER_VALUES)
@pytest.mark.parametrize("name", FORMATS)
def test_an_option_of_another_format_is_refused(name: str, option: str) -> None:
    value = OTHER_VALUES[option]
    if name in formats_with(option):
        Source(format=name, **COMPANIONS.get(option, {}), **{option: value})
        return
    with pytest.raises(RequestError) as raised:
        Source(format=name, **{option: value})
    expected = (
        f"Source: {option} is {value!r}, and format {name!r} has no such option: it is for "
        f"{' and '.join(formats_with(option))}; leave it out"
    )
    told = str(raised.value)
    assert told.startswith(expected) if option in COMPANIONS else told == expected


@pytest.mark.parametrize(
    "options",
    [
        *({"format": name} for name in ("auto", *FORMATS)),
        *({"format": name, "compression": "none"} for name in FORMATS),
        *({**COMPANIONS.get(option, {}), option: value} for option, value in OTHER_VALUES.items()),
        {"delimiter": ";", "feature_count": 9, "keep_labels": False},  # a prefix may hold both
        {"label": "y", "header": "absent"},  # of Parquet and CSV only one has a header to be absent
        {"label": "y", "format": "csv"},
        {"label": "y", "format": "npz", "features": ("x", "x[0]")},
        {"label": -1, "features": (0, -2)},  # whether these are the same depends on the width
        {"features": range(3)},
        {"label": "y", "exclude": ("y", "a")},  # says twice that it is no feature, and is true
        {"exclude": ("a", "a")},
    ],
    ids=str,
)
def test_taken(options: dict[str, Any]) -> None:
    source = Source(**options)
    assert Source.from_dict(source.to_dict()) == source


def test_a_label_that_is_excluded_too_is_the_label_still() -> None:
    source = Source(label="y", exclude=("y", "a"))
    schema = Schema.of(source, width=3, names=("a", "y", "x"), where="s3://bucket/a.csv")
    assert (schema.features, schema.label) == ((2,), 1)


def test_several_problems_are_in_one_error() -> None:
    with pytest.raises(RequestError) as raised:
        Source(format="parquet", delimiter=";", feature_count=0, features=(1, 1))
    for part in ("delimiter is ';'", "feature_count is 0; allowed", "features holds 1"):
        assert part in str(raised.value)
