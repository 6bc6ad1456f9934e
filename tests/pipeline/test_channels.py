"""Which Source each channel takes, so far as the Source alone tells: what synth and Plan both refuse."""

from __future__ import annotations

from typing import Any

import pytest

from amazon_estimators.algorithms import ALGORITHMS, Object2Vec
from amazon_estimators.errors import RequestError
from amazon_estimators.pipeline.channels import channels_of
from amazon_estimators.sources import Source
from amazon_estimators.sources.formats import FORMATS

LABEL: dict[str, Any] = {"label": 0}
NONE: dict[str, Any] = {"keep_labels": False}

RULES: list[tuple[str, str, dict[str, Any], str]] = [
    # algorithm, channel, Source, the error's text or "" if it is taken
    ("LinearLearner", "train", {"format": "csv"}, "channel train needs a label, and its Source of format"),
    ("LinearLearner", "train", {"format": "npy"}, "names none: name the label's column"),
    ("LinearLearner", "train", {"format": "parquet"}, "such as Source(label=0)"),
    ("LinearLearner", "test", {"format": "csv"}, "channel test needs a label"),
    ("LinearLearner", "train", {"format": "csv", **LABEL}, ""),
    ("LinearLearner", "train", {"format": "npz"}, "names none: name the label's column"),
    ("LinearLearner", "train", {"format": "npz", **LABEL}, ""),
    ("LinearLearner", "train", {"format": "libsvm"}, ""),
    ("LinearLearner", "train", {"format": "recordio"}, ""),
    ("LinearLearner", "train", {}, ""),
    ("LinearLearner", "train", NONE, ""),
    ("LinearLearner", "train", {"format": "libsvm", **NONE}, "needs a label, and keep_labels is False"),
    ("LinearLearner", "train", {"format": "recordio", **NONE}, "keep_labels is False: leave keep_labels out"),
    ("RandomCutForest", "train", {"format": "csv"}, ""),
    ("RandomCutForest", "train", {"format": "csv", **LABEL}, "takes no label, but its Source names 0"),
    (
        "RandomCutForest",
        "train",
        {"format": "libsvm"},
        "of format 'libsvm' has one: drop the labels",
    ),
    ("RandomCutForest", "train", {"format": "libsvm", **NONE}, ""),
    ("RandomCutForest", "train", {"format": "recordio"}, ""),
    ("RandomCutForest", "train", {}, ""),
    ("RandomCutForest", "test", {"format": "csv"}, "channel test needs a label"),
    ("KMeans", "train", {"format": "csv"}, ""),
    ("KMeans", "train", {"format": "libsvm"}, ""),
    ("Object2Vec", "train", {"format": "jsonlines"}, ""),
    ("Object2Vec", "train", {"format": "jsonlines", "compression": "gzip"}, ""),
    ("IPInsights", "train", {"format": "csv"}, ""),
    ("IPInsights", "train", {"format": "csv", "compression": "zstd"}, ""),
]


READS = {
    "application/x-recordio-protobuf": {"npy", "npz", "csv", "parquet", "libsvm", "recordio"},
    "application/jsonlines": {"jsonlines"},
    "text/csv": {"csv"},
    "text/plain": set(),
}


def problem(algorithm: str, channel: str, options: dict[str, Any]) -> str:
    """What is said of the channel's Source, beside others of which nothing is known; "" if it is taken."""
    sources = {"train": Source(), channel: Source(**options)}
    try:
        channels_of(ALGORITHMS[algorithm], sources, {}, instance_count=1, prefix="")
    except RequestError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(("algorithm", "channel", "options", "text"), RULES)
def test_labels(algorithm: str, channel: str, options: dict[str, Any], text: str) -> None:
    said = problem(algorithm, channel, options)
    assert text in said
    assert bool(text) == bool(said)


@pytest.mark.parametrize(
    ("algorithm", "channel"),
    [(name, channel) for name, one in ALGORITHMS.items() for channel in one.channels],
)
def test_a_channel_reads_the_formats_of_its_content_type(algorithm: str, channel: str) -> None:
    reads = READS[ALGORITHMS[algorithm].channels[channel].content_type]
    assert "does not read" not in problem(algorithm, channel, {})
    for name in FORMATS:
        said = problem(algorithm, channel, {"format": name})
        assert (f"channel {channel} does not read format {name!r}; allowed: auto" in said) == (
            name not in reads
        )


def test_what_is_allowed_is_named() -> None:
    assert "format 'csv'; allowed: auto, jsonlines\n" in problem("Object2Vec", "train", {"format": "csv"})
    assert "format 'csv'; allowed: auto\n" in problem("NTM", "auxiliary", {"format": "csv"})


def test_lines_have_no_columns_for_rules() -> None:
    with pytest.raises(RequestError, match="channel train reads lines, to which these do not apply: fill"):
        channels_of(Object2Vec, {"train": Source(fill={0: 1})}, {}, instance_count=1, prefix="")
