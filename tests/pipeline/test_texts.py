"""Object2Vec's JSON Lines, IP Insights' CSV and NTM's vocabulary: checked line by line, passed on."""

from __future__ import annotations

import gzip
import json
import re
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pipeline_runs import Pipeline

from amazon_estimators.encodings import ip_insights, object2vec
from amazon_estimators.encodings.text_lines import tidy
from amazon_estimators.errors import InputError

PAIRS = {
    "algorithm": "Object2Vec",
    "hyperparameters": {"enc0_max_seq_len": "5", "enc0_vocab_size": "100", "num_classes": "3"},
}


def pair(label: Any, *sides: Any) -> dict[str, Any]:
    return {"label": label, "in0": sides[0], "in1": sides[1]}


def lines(*values: Any, end: str = "\n") -> bytes:
    return "".join(json.dumps(value) + end for value in values).encode()


def test_object2vec_shards_are_the_lines(pipeline: Pipeline) -> None:
    pipeline.settings |= PAIRS
    first = lines(pair(0, [1, 2, 3], [99]), pair(1, [4], [5, 6]))
    second = lines(pair(2, [7], [8]), end="\r\n")
    pipeline.put("train/a.jsonl", b"\xef\xbb\xbf" + first + b"\n\n")
    pipeline.put("train/b.jsonl", second + lines(pair(1.0, [9], [10])).removesuffix(b"\n"))
    planned = pipeline.train()
    expected = first + lines(pair(2, [7], [8]), pair(1.0, [9], [10]))
    assert b"".join(pipeline.shards(planned)) == expected
    facts = pipeline.facts(planned)
    assert facts["num_records"] == 4
    assert facts["labels"] == {"minimum": 0, "maximum": 2, "integral": True}
    assert facts["tokens"] == [{"highest": 9, "longest": 3}, {"highest": 99, "longest": 2}]
    assert planned["request"]["input_data_config"][0]["ContentType"] == "application/jsonlines"
    assert any(key.endswith("train/part_00000.jsonl") for key in pipeline.all_keys(planned["prefix"]))


BAD_PAIRS = {
    b'{"label": 1, "in0": [1], "in1": [2]': "is not JSON",
    b"[1, 2]": "not one object",
    b'{"label": 1, "in0": [1]}': "missing in1",
    b'{"label": 1, "in0": [1], "in1": [2], "id": 3}': "unknown id",
    b'{"label": "1", "in0": [1], "in1": [2]}': 'label is "1"',
    b'{"label": true, "in0": [1], "in1": [2]}': "label is true",
    b'{"label": NaN, "in0": [1], "in1": [2]}': "NaN is not a number",
    b'{"label": 1e999, "in0": [1], "in1": [2]}': "label is Infinity",
    b'{"label": 1, "in0": [], "in1": [2]}': "in0 is []",
    b'{"label": 1, "in0": "1", "in1": [2]}': 'in0 is "1"',
    b'{"label": 1, "in0": [1], "in1": [2, -1]}': "in1 holds -1",
    b'{"label": 1, "in0": [1], "in1": [2.5]}': "in1 holds 2.5",
    b'{"label": 1, "in0": [1], "in1": [2147483648]}': "in1 holds 2147483648",
    b'{"label": 1, "in0": [1], "in1": [1%b]}' % (b"0" * 600): "in1 holds 1000",
    b'{"label": 1, "in0": [1], "in1": [1%b]}' % (b"0" * 5000): "is not JSON",
    b'{"label": 1, "in0": [true], "in1": [2]}': "in0 holds true",
    b'{"label": 1, "in0": [null], "in1": [2]}': "in0 holds null",
    b'{"label": 1, "in0": [1], "in1": [2]}, {"label": 1, "in0": [1], "in1": [2]}': "is not JSON",
    b' {"label": 1, "in0": [1], "in1": [2]}': "not one object",
    b"\xff": "is not JSON",
}


@pytest.mark.parametrize("bad", BAD_PAIRS)
def test_a_bad_pair_is_named_by_its_line(pipeline: Pipeline, bad: bytes) -> None:
    pipeline.settings |= PAIRS
    good = lines(pair(1, [1], [2]))
    pipeline.put("train/a.jsonl", good * 2 + b"\n" + bad + b"\n" + good)
    with pytest.raises(InputError) as error:
        pipeline.train()
    assert "input/train/a.jsonl, line 4: " in str(error.value)
    assert BAD_PAIRS[bad] in str(error.value)
    assert not [key for key in pipeline.all_keys() if "part_" in key or "manifest" in key]


ONE = b'{"label": 1, "in0": [1], "in1": [2]}'
CUT = b'{"label": 1,\n"in0": [1], "in1": [2]}\n'
TWO = ONE + b" " + ONE + b"\n"


@pytest.mark.parametrize("text", [TWO, TWO + CUT, b" " + ONE + b"\n"])
def test_a_line_is_one_pair_from_brace_to_brace(text: bytes) -> None:
    """The parser alone would take blanks and newlines between pairs."""
    assert object2vec._read(text, object2vec._PAIRS) is None
    assert object2vec._read_plain(text) is None


values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 5) | st.floats() | st.text(max_size=2),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)
ids = st.lists(st.integers(0, 9), min_size=1, max_size=3)


@given(
    st.lists(
        st.fixed_dictionaries({"label": values, "in0": ids | values, "in1": ids}), min_size=1, max_size=4
    )
)
def test_all_lines_at_once_and_one_by_one_agree(found: list[dict[str, Any]]) -> None:
    text = lines(*found)
    one_by_one = all(object2vec.reason(line) is None for line in text.splitlines())
    assert (object2vec._read(text, object2vec._PAIRS) is not None) == one_by_one


def facts(read: Any) -> Any:
    """Return the labels and the tokens of what was read."""
    return read and ([pair.label for pair in read[0]], read[1])


token_ids = st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=5)
plain_pairs = st.builds(pair, st.integers(-9, 9) | st.floats(-9, 9), token_ids, token_ids)
MARKS = [*b'{}[],:" \n\t\r019-.e\\x\xff']


@given(st.lists(plain_pairs, min_size=1, max_size=4), st.sampled_from([(",", ":"), (", ", ": ")]))
def test_plain_pairs_are_read_without_objects_as_with_them(found: list[Any], marks: Any) -> None:
    text = "".join(json.dumps(value, separators=marks) + "\n" for value in found).encode()
    plain = object2vec._read_plain(text)
    assert plain is not None
    assert facts(plain) == facts(object2vec._read(text, object2vec._PAIRS))


@settings(max_examples=500)
@given(st.lists(plain_pairs, min_size=1, max_size=2), st.data())
def test_no_text_is_plain_that_is_refused(found: list[Any], data: st.DataObject) -> None:
    text = bytearray(lines(*found))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text) - 1))
        removed = data.draw(st.integers(0, 2))
        text[at : at + removed] = bytes(data.draw(st.lists(st.sampled_from(MARKS), max_size=2)))
    tidy_text = tidy(bytes(text) + b"\n")
    plain = object2vec._read_plain(tidy_text) if tidy_text else None
    assert plain is None or facts(plain) == facts(object2vec._read(tidy_text, object2vec._PAIRS))


NOT_PLAIN = {
    "a key twice": b'{"label": 1, "in0": [-1], "in0": [1], "in1": [2]}\n',
    "a list in a list": b'{"label": 1, "in0": [1, [2]], "in1": [2]}\n',
    "no list": b'{"label": 1, "in0": 1, "in1": [2]}\n',
    "two lists for one": b'{"label": 1, "in0": [[1], [2]], "in1": [2]}\n',
    "an empty list": b'{"label": 1, "in0": [ ], "in1": [2]}\n',
    "an empty list below a full one": b'{"label": 1, "in0": [1], "in1": [2]}\n' * 2
    + b'{"label": 1, "in0": [], "in1": [2]}\n',
    "one more than the last id": b'{"label": 1, "in0": [2147483648], "in1": [2]}\n',
    "a digit more than the last id": b'{"label": 1, "in0": [9, 10000000000], "in1": [2]}\n',
    "a fraction": b'{"label": 1, "in0": [1.0], "in1": [2]}\n',
    "an exponent": b'{"label": 1, "in0": [1e3], "in1": [2]}\n',
    "minus zero": b'{"label": 1, "in0": [-0], "in1": [2]}\n',
}


@pytest.mark.parametrize("text", NOT_PLAIN.values(), ids=NOT_PLAIN)
def test_what_is_not_plain_is_left_to_the_exact_way(text: bytes) -> None:
    assert object2vec._read_plain(text) is None


def test_pairs_written_otherwise_are_passed_on_too(pipeline: Pipeline) -> None:
    pipeline.settings |= PAIRS
    text = b'{"in0":[-0],"in1":[5],"\\u006cabel":1}\n{"label": 0, "label": 2, "in0": [1, 3], "in1": [2]}\n'
    pipeline.put("train/a.jsonl", text)
    planned = pipeline.train()
    assert b"".join(pipeline.shards(planned)) == text
    facts = pipeline.facts(planned)
    assert facts["labels"] == {"minimum": 1, "maximum": 2, "integral": True}
    assert facts["tokens"] == [{"highest": 3, "longest": 2}, {"highest": 5, "longest": 1}]


def test_ip_insights_shards_are_the_lines(pipeline: Pipeline) -> None:
    pipeline.settings |= {
        "algorithm": "IPInsights",
        "hyperparameters": {"num_entity_vectors": "10", "vector_dim": "8"},
        "instance_count": 3,
    }
    text = "".join(f"user_{number},10.0.{number}.255\n" for number in range(11)).encode()
    pipeline.put("train/a.csv", text[:60].rpartition(b"\n")[0] + b"\n")
    pipeline.put("train/b.csv.gz", gzip.compress(text[60:].partition(b"\n")[2]))
    planned = pipeline.train()
    rows = text[:60].rpartition(b"\n")[0].split(b"\n") + text[60:].partition(b"\n")[2].strip().split(b"\n")
    assert b"".join(pipeline.shards(planned)).splitlines() == rows
    assert pipeline.facts(planned)["num_records"] == len(rows)
    assert planned["request"]["input_data_config"][0]["ContentType"] == "text/csv"


def test_small_text_is_balanced_to_a_line(pipeline: Pipeline) -> None:
    pipeline.settings |= {
        "algorithm": "IPInsights",
        "hyperparameters": {"num_entity_vectors": "10", "vector_dim": "8"},
        "instance_count": 4,
    }
    rows = [f"{'u' * (number * 7 % 50 + 1)},10.0.0.{number}" for number in range(10)]
    pipeline.put("train/a.csv", "\r\n\r\n".join(rows).encode())
    planned = pipeline.train()
    shards = pipeline.shards(planned)
    assert b"".join(shards).decode().split() == rows
    assert [shard.count(b"\n") for shard in shards] == [3, 3, 2, 2]


BAD_LINES = {
    b"user,1.2.3": "is not an IPv4 address",
    b"user,1.2.3.256": "is not an IPv4 address",
    b"user,1.2.3.04": "is not an IPv4 address",
    b"user,::1": "is not an IPv4 address",
    b"user, 1.2.3.4": "is not an IPv4 address",
    b"user,1.2.3.4,5": "is not two fields",
    b"user": "is not two fields",
    b",1.2.3.4": "has no entity",
    b'"us"er,1.2.3.4': "is not two fields",
    b"\xff,1.2.3.4": "not UTF-8",
    b"entity,ip": "is not an IPv4 address",
}


@pytest.mark.parametrize("bad", BAD_LINES)
def test_a_bad_line_says_why(bad: bytes) -> None:
    assert BAD_LINES[bad] in str(ip_insights.reason(bad))


@pytest.mark.parametrize(
    "good", [b"user_7,192.0.2.10", b'"a ""b"", c",0.0.0.0', "Zoë,255.255.255.255".encode()]
)
def test_a_good_line(good: bytes) -> None:
    assert ip_insights.reason(good) is None
    assert ip_insights._are_pairs(good + b"\n")


addresses = st.lists(st.integers(0, 255), min_size=4, max_size=4).map(
    lambda octets: ".".join(map(str, octets))
)
entities = st.sampled_from(["user_7", '"a ""b"", c"', "Zoë", "10.0.0.1"])
CHANGES = [b"", b"0", b"6", b"25", b".", b",", b'"', b'""', b" ", b"\r", b"\n", b"\xff", b"\xed\xa0\x80"]


@settings(max_examples=500)
@given(st.lists(st.tuples(entities, addresses), max_size=3), st.data())
def test_both_engines_take_what_is_right_line_by_line(found: list[Any], data: st.DataObject) -> None:
    text = bytearray("".join(f"{entity},{address}\n" for entity, address in found).encode())
    for _ in range(data.draw(st.integers(0, 2))):
        at = data.draw(st.integers(0, len(text)))
        text[at : at + data.draw(st.integers(0, 1))] = data.draw(st.sampled_from(CHANGES))
    tidy_text = tidy(bytes(text) + b"\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "pyarrow", None)
        by_python = ip_insights._are_pairs(tidy_text)
    assert ip_insights._are_pairs(tidy_text) == by_python
    if ip_insights._is_utf8(tidy_text):
        *each, _ = tidy_text.split(b"\n")
        assert by_python == all(ip_insights.reason(line) is None for line in each)


def test_a_bad_address_late_in_a_large_file_is_named_by_its_line(pipeline: Pipeline) -> None:
    pipeline.settings |= {
        "algorithm": "IPInsights",
        "hyperparameters": {"num_entity_vectors": "10", "vector_dim": "8"},
    }
    count = 120_000
    pipeline.put("train/a.csv", b"someone,198.51.100.77\n" * count + b"someone,198.51.100\n")
    with pytest.raises(InputError, match=f"line {count + 1:,}: '198.51.100' is not an IPv4 address"):
        pipeline.train()


def test_a_bad_line_of_a_part_cut_by_bytes_is_shown(pipeline: Pipeline) -> None:
    """Nobody counts the lines before such a part: its text is what the user can search for."""
    pipeline.settings |= {"algorithm": "IPInsights", "instance_count": 2}
    pipeline.settings["hyperparameters"] = {"num_entity_vectors": "10", "vector_dim": "8"}
    pipeline.put("train/a.csv", b"someone,198.51.100.77\n" * 20_000 + b"other,198.51.100\n")
    with pytest.raises(InputError) as error:
        pipeline.train()
    assert " after byte 220,009, which begins 'other,198.51.100': '198.51.100' is no" in str(error.value)


def ntm(pipeline: Pipeline, vocabulary: bytes, name: str = "vocab.txt") -> Pipeline:
    pipeline.settings |= {"algorithm": "NTM", "hyperparameters": {"num_topics": "2"}}
    pipeline.settings["channels"] = {"train": {}, "auxiliary": {}}
    pipeline.settings["instance_count"] = 2
    pipeline.put_array("train/a.npy", np.ones((6, 3), np.float32))
    pipeline.put(f"auxiliary/{name}", vocabulary)
    return pipeline


def test_the_vocabulary_arrives_under_its_name(pipeline: Pipeline) -> None:
    planned = ntm(pipeline, "Straße\r\nword\nlast".encode()).train()
    head, name = pipeline.manifest(planned, "auxiliary")
    assert name == "vocab.txt"
    assert head["prefix"].endswith("/auxiliary/files/")
    assert pipeline.shards(planned, "auxiliary") == ["Straße\nword\nlast\n".encode()]
    channel = planned["request"]["input_data_config"][1]
    assert channel["ContentType"] == "text/plain"
    assert channel["DataSource"]["S3DataSource"]["S3DataDistributionType"] == "FullyReplicated"


def test_a_vocabulary_of_another_length_is_told(pipeline: Pipeline) -> None:
    doubts = ntm(pipeline, b"one\ntwo\n").train()["request"]["warnings"]
    assert any(re.search(r"2 words.*3 features", doubt) for doubt in doubts)


@pytest.mark.parametrize(
    ("text", "reason"), [(b"a\n\nc\n", "line 2: it is blank"), (b"a\nb\n\xe9\n", "line 3: .*not UTF-8")]
)
def test_a_bad_word_is_named_by_its_line(pipeline: Pipeline, text: bytes, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        ntm(pipeline, text).train()
