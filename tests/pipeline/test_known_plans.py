"""A RecordSet that is there whole is trained on again without its input, which may be gone by then."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pipeline_runs import Pipeline

from amazon_estimators.errors import AmazonEstimatorsError, RequestError
from faulty_s3 import FaultyS3, refused

ROWS = b"".join(b"%d,%d,%d\n" % (row, row % 7, row % 3) for row in range(200))


class Archive(FaultyS3):
    """Hands out input until it is archived."""

    archived = False

    def get_object(self, *, Key: str, **given: Any) -> dict[str, Any]:
        if self.archived and Key.startswith("input/"):
            raise refused("InvalidObjectState", 403)("GetObject")
        return super().get_object(Key=Key, **given)


@pytest.fixture
def trained() -> tuple[Pipeline, dict[str, Any]]:
    s3 = Archive()
    pipeline = Pipeline(s3, "bucket")
    pipeline.settings["channels"] = {"train": {"header": "absent"}}
    for name in ("train/a.csv", "train/b.csv"):
        s3.put(f"input/{name}", ROWS)
    planned = pipeline.train()
    s3.archived = True
    return pipeline, planned


def expire(s3: FaultyS3) -> None:
    for key in [key for key in s3.objects if key.startswith("input/")]:
        del s3.objects[key]


def forget_data_set(s3: FaultyS3) -> None:
    for key in [key for key in s3.objects if key.startswith("datasets/")]:
        del s3.objects[key]


LOSSES: dict[str, Callable[[FaultyS3], None]] = {
    "archived": lambda s3: None,
    "expired": expire,
    "list of the data set lost": forget_data_set,
}


@pytest.mark.parametrize("case", LOSSES)
def test_a_data_set_is_trained_again_without_its_objects(
    trained: tuple[Pipeline, dict[str, Any]], case: str
) -> None:
    pipeline, first = trained
    LOSSES[case](pipeline.s3)
    again = pipeline.plan("second", data_set=first["data_set"], hyperparameters={"k": "3"})
    assert (again["complete"], again["fingerprint"]) == (True, first["fingerprint"])
    assert again["request"]["input_data_config"] == first["request"]["input_data_config"]
    assert again["request"]["hyperparameters"]["k"] == "3"


def test_archived_input_is_trained_again_without_naming_its_version(
    trained: tuple[Pipeline, dict[str, Any]],
) -> None:
    pipeline, first = trained
    again = pipeline.plan("second")
    assert (again["complete"], again["data_set"]) == (True, first["data_set"])


OTHERS: dict[str, dict[str, Any]] = {
    "instance_count": {"instance_count": 2},
    "target_shard_bytes": {"target_shard_bytes": 2**20},
    "option of a channel": {"channels": {"train": {"header": "absent", "exclude": [0]}}},
    "algorithm": {"algorithm": "PCA", "hyperparameters": {"num_components": "2"}},
}


@pytest.mark.parametrize("case", OTHERS)
def test_what_is_asked_for_otherwise_is_looked_at(
    trained: tuple[Pipeline, dict[str, Any]], case: str
) -> None:
    pipeline, first = trained
    pipeline.settings.update(OTHERS[case])
    with pytest.raises(AmazonEstimatorsError, match="archived"):
        pipeline.plan("second", data_set=first["data_set"])


def test_another_version_of_the_data_is_looked_at(trained: tuple[Pipeline, dict[str, Any]]) -> None:
    pipeline, _ = trained
    pipeline.s3.put("input/train/c.csv", ROWS)
    with pytest.raises(AmazonEstimatorsError, match="archived"):
        pipeline.plan("second")


def test_a_record_set_that_is_not_whole_is_planned_from_its_objects(
    trained: tuple[Pipeline, dict[str, Any]],
) -> None:
    pipeline, first = trained
    del pipeline.s3.objects[f"{first['prefix']}train/.amazon.manifest"]
    with pytest.raises(AmazonEstimatorsError, match="archived"):
        pipeline.plan("second", data_set=first["data_set"])


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"schema": "known-plan/1", "digest": "0"}'])
def test_what_was_kept_and_changed_is_not_believed(
    trained: tuple[Pipeline, dict[str, Any]], body: bytes
) -> None:
    pipeline, first = trained
    (kept,) = [key for key in pipeline.s3.objects if key.startswith("recordsets/plans/")]
    assert json.loads(pipeline.s3.objects[kept][0][1])["fingerprint"] == first["fingerprint"]
    pipeline.s3.put(kept, body)
    pipeline.s3.archived = False
    again = pipeline.plan("second", data_set=first["data_set"])
    assert again["complete"]
    assert json.loads(pipeline.s3.objects[kept][0][1])["fingerprint"] == first["fingerprint"]


def test_one_kept_for_another_request_is_not_believed(trained: tuple[Pipeline, dict[str, Any]]) -> None:
    pipeline, first = trained
    (kept,) = [key for key in pipeline.s3.objects if key.startswith("recordsets/plans/")]
    pipeline.s3.archived = False
    pipeline.s3.put("input/train/c.csv", ROWS)
    other = pipeline.train("second")
    (of_other,) = [key for key in pipeline.s3.objects if key.startswith("recordsets/plans/") and key != kept]
    pipeline.s3.put(kept, pipeline.s3.objects[of_other][0][1])
    again = pipeline.plan("third", data_set=first["data_set"])
    assert again["fingerprint"] == first["fingerprint"] != other["fingerprint"]


def test_a_version_that_never_was_is_refused(trained: tuple[Pipeline, dict[str, Any]]) -> None:
    with pytest.raises(RequestError, match=r"there is no s3://bucket/datasets/0{24}\.jsonl\.gz"):
        trained[0].plan("second", data_set="0" * 24)
