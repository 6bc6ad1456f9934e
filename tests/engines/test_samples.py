"""The data sets of the rehearsal are what their algorithm takes, and the same every time."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

from amazon_estimators.algorithms import (
    ALGORITHMS,
    KNN,
    LDA,
    NTM,
    Algorithm,
    IPInsights,
    KMeans,
    Object2Vec,
    RandomCutForest,
)
from amazon_estimators.errors import RequestError
from amazon_estimators.sources import Source
from amazon_estimators_rehearsal.samples import SAMPLES, Sample, own, required
from amazon_estimators_rehearsal.samples.words import SUBJECTS, VOCABULARY


def test_every_algorithm_has_one() -> None:
    assert set(SAMPLES) == set(ALGORITHMS)


@pytest.mark.parametrize("name", SAMPLES)
def test_it_suits_the_algorithm(name: str, tmp_path: Path) -> None:
    sample, algorithm = SAMPLES[name](tmp_path), ALGORITHMS[name]
    settings = sample.settings()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        algorithm(**settings["hyperparameters"])
    algorithm.check_instances("ml.m5.large", settings["instance_count"])
    required = {channel for channel, rule in algorithm.channels.items() if rule.required}
    assert required <= set(settings["channels"]) <= set(algorithm.channels)
    for options in settings["channels"].values():
        Source.from_dict(options)


@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_required_is_enough_for_data_of_one_s_own(name: str, tmp_path: Path) -> None:
    values = required(name, tmp_path)
    assert values.keys() <= SAMPLES[name](tmp_path).hyperparameters.keys()
    ALGORITHMS[name](**values)


@pytest.mark.parametrize("name", SAMPLES)
def test_it_is_small_and_the_same_every_time(name: str, tmp_path: Path) -> None:
    written = []
    for run in ("one", "two"):
        (tmp_path / run).mkdir()
        files = SAMPLES[name](tmp_path / run).files
        written.append({channel: [path.read_bytes() for path in paths] for channel, paths in files.items()})
    assert written[0] == written[1]
    assert 0 < sum(len(body) for bodies in written[0].values() for body in bodies) < 1_000_000


def test_the_formats_differ(tmp_path: Path) -> None:
    """Among them an array, a table whose label is named, sparse text, JSON Lines."""
    samples = [make(tmp_path) for make in SAMPLES.values()]
    endings = {path.suffix for sample in samples for paths in sample.files.values() for path in paths}
    assert endings == {".npy", ".csv", ".libsvm", ".jsonl", ".txt"}
    labels = {options.get("label") for sample in samples for options in sample.sources.values()}
    assert {"species", "progression", "fault"} <= labels


def test_words_are_told_apart() -> None:
    assert len(set(VOCABULARY)) == len(VOCABULARY)
    assert {len(subject.split()) for subject in SUBJECTS} == {16}


def test_own_data(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,2\n")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "b.csv").write_text("3,4\n")
    assert own(tmp_path, KMeans).files == {"train": [tmp_path / "a.csv", tmp_path / "below" / "b.csv"]}
    alone = own(tmp_path / "a.csv", LDA).settings()
    assert (alone["channels"], alone["instance_count"]) == ({"train": {}}, 1)
    with pytest.raises(FileNotFoundError, match="--data"):
        own(tmp_path / "none.csv", KMeans)


def test_own_channels(tmp_path: Path) -> None:
    for channel in ("train", "test"):
        (tmp_path / channel).mkdir()
    (tmp_path / "train" / "b.csv").write_text("3,4\n")
    with pytest.raises(FileNotFoundError, match=f"{tmp_path}/test.*--data"):
        own(tmp_path, KNN)
    (tmp_path / "test" / "c.csv").write_text("5,6\n")
    found = own(tmp_path, KNN, {"label": "price"})
    assert found.files == {"test": [tmp_path / "test" / "c.csv"], "train": [tmp_path / "train" / "b.csv"]}
    assert found.settings()["channels"] == {"train": {"label": "price"}, "test": {"label": "price"}}


@pytest.mark.parametrize(
    ("options", "train"),
    [
        ({"label": -1}, {"exclude": [-1]}),
        ({"label": "fault", "exclude": ["time"]}, {"exclude": ["time", "fault"]}),
        ({"label": "fault", "features": ["load"]}, {"features": ["load"]}),
        ({"delimiter": ";"}, {"delimiter": ";"}),
    ],
)
def test_a_label_is_no_feature_of_a_channel_that_takes_none(
    options: dict[str, Any], train: dict[str, Any], tmp_path: Path
) -> None:
    for channel in ("train", "test"):
        (tmp_path / channel).mkdir()
        (tmp_path / channel / "a.csv").write_text("3,4\n")
    channels = own(tmp_path, RandomCutForest, options).settings()["channels"]
    assert channels == {"train": train, "test": options}


@pytest.mark.parametrize("algorithm", [IPInsights, Object2Vec])
def test_lines_have_no_label_column(algorithm: type[Algorithm], tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("3,4\n")
    with pytest.raises(RequestError, match=r"no columns.*for label 'kind'\nLeave it out"):
        own(tmp_path, algorithm, {"label": "kind"})
    compressed = own(tmp_path, algorithm, {"compression": "gzip"})
    assert compressed.sources == {"train": {"compression": "gzip"}}


def test_the_columns_are_those_of_the_vectors(tmp_path: Path) -> None:
    for channel in ("train", "auxiliary"):
        (tmp_path / channel).mkdir()
        (tmp_path / channel / "a.csv").write_text("3,4\n")
    assert own(tmp_path, NTM, {"exclude": ["id"]}).sources == {"train": {"exclude": ["id"]}, "auxiliary": {}}


def _keys(sample: Sample) -> list[str]:
    return [f"{channel}: {below}" for channel, below, _ in sample.uploads()]


def test_files_are_uploaded_under_their_path(tmp_path: Path) -> None:
    """Of one name in two folders, none is lost; what is no data on S3 is none here."""
    for name in ("p1/data.csv", "p2/data.csv", "p1/_SUCCESS", ".DS_Store"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("3,4\n")
    assert _keys(own(tmp_path, KMeans)) == ["train: p1/data.csv", "train: p2/data.csv"]
    assert _keys(own(tmp_path / "p1" / "data.csv", KMeans)) == ["train: data.csv"]
    (tmp_path / "p1").rename(tmp_path / "train")
    (tmp_path / "p2").rename(tmp_path / "train" / "p2")
    assert _keys(own(tmp_path, KMeans)) == ["train: data.csv", "train: p2/data.csv"]
