"""What the encoder saw of texts, against the hyperparameters: token ids, lengths, names of files."""

from __future__ import annotations

from typing import Any

import pytest
from pipeline_runs import Pipeline

from amazon_estimators.algorithms import NTM, Object2Vec
from amazon_estimators.errors import HyperparameterError
from amazon_estimators.hyperparameters.hyperparameter import HyperparameterWarning
from amazon_estimators.record_sets.record_set import RecordSet
from amazon_estimators.summaries import Labels, Tokens


def pairs(first: Tokens, second: Tokens) -> RecordSet:
    return RecordSet(
        "s3://bucket/.amazon.manifest",
        100,
        0,
        content_type="application/jsonlines",
        labels=Labels(0, 1, True),
        tokens=(first, second),
        num_shards=1,
    )


def auxiliary(*files: str, records: int = 3) -> RecordSet:
    return RecordSet(
        "s3://bucket/.amazon.manifest",
        records,
        0,
        channel="auxiliary",
        distribution="FullyReplicated",
        content_type="text/plain",
        files=files,
    )


LIMITS = {"enc0_vocab_size": 100, "enc0_max_seq_len": 10}
OWN = {"enc1_network": "hcnn", "enc1_vocab_size": 50, "enc1_max_seq_len": 5}

CASES: dict[str, tuple[dict[str, Any], Tokens, Tokens, tuple[str, ...]]] = {
    "all at the limit": (LIMITS, Tokens(99, 10), Tokens(99, 10), ()),
    "id": (LIMITS, Tokens(100, 1), Tokens(0, 1), ("in0 of channel train holds token id 100", "at least 101")),
    "length": (
        LIMITS,
        Tokens(0, 11),
        Tokens(0, 1),
        ("a list of 11 tokens", "enc0_max_seq_len to at least 11"),
    ),
    "the second side shares enc0": (
        LIMITS,
        Tokens(0, 1),
        Tokens(100, 1),
        ("in1 .*100, but enc0_vocab_size",),
    ),
    "the second side on its own": (LIMITS | OWN, Tokens(99, 10), Tokens(49, 5), ()),
    "its own id": (LIMITS | OWN, Tokens(99, 10), Tokens(50, 5), ("in1 .*50, but enc1_vocab_size is 50",)),
    "its own length": (LIMITS | OWN, Tokens(99, 10), Tokens(49, 6), ("6 tokens, but enc1_max_seq_len is 5",)),
}


@pytest.mark.parametrize("case", CASES)
def test_tokens(case: str) -> None:
    hyperparameters, first, second, says = CASES[case]
    algorithm = Object2Vec(**hyperparameters)
    data = {"train": pairs(first, second)}
    if not says:
        algorithm.fit_to(data, instance_count=1)
        return
    for text in says:
        with pytest.warns(HyperparameterWarning, match=text):
            algorithm.fit_to(data, instance_count=1)


@pytest.mark.parametrize(("file", "good"), [("glove.txt", True), ("other.txt", False)])
def test_files_that_hyperparameters_name(file: str, good: bool) -> None:
    algorithm = Object2Vec(**LIMITS, enc0_pretrained_embedding_file=file, enc0_vocab_file="vocab.json")
    data = {"train": pairs(Tokens(1, 1), Tokens(1, 1)), "auxiliary": auxiliary("glove.txt", "vocab.json")}
    if good:
        algorithm.fit_to(data, instance_count=1)
        return
    with pytest.raises(
        HyperparameterError, match=r"'other\.txt', but channel auxiliary holds glove\.txt, vocab\.json"
    ):
        algorithm.fit_to(data, instance_count=1)


@pytest.mark.parametrize("files", [("vocab.txt",), ("vocabulary.txt",), ("vocab.txt", "notes.txt")])
def test_the_vocabulary_has_its_name(files: tuple[str, ...]) -> None:
    data = {
        "train": RecordSet("s3://bucket/.amazon.manifest", 10, 3, num_shards=1),
        "auxiliary": auxiliary(*files),
    }
    algorithm = NTM(num_topics=2)
    if files == ("vocab.txt",):
        algorithm.fit_to(data, instance_count=1)
        return
    with pytest.raises(HyperparameterError, match=r"Expecting: vocab\.txt"):
        algorithm.fit_to(data, instance_count=1)


def test_tokens_are_recorded_and_checked_in_a_run(pipeline: Pipeline) -> None:
    pipeline.settings |= {
        "algorithm": "Object2Vec",
        "hyperparameters": {"enc0_max_seq_len": "5", "enc0_vocab_size": "10"},
    }
    pipeline.put(
        "train/a.jsonl", b'{"label": 0, "in0": [9], "in1": [1]}\n{"label": 1, "in0": [3], "in1": [10]}\n'
    )
    (doubt,) = pipeline.train("one")["request"]["warnings"]
    assert "in1 of channel train holds token id 10" in doubt
    again = pipeline.train("two", hyperparameters={"enc0_vocab_size": "11"})
    assert again["request"]["hyperparameters"]["enc0_vocab_size"] == "11"
