"""The report of a rehearsal tells rows that were left out, beside how the data were read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from amazon_estimators.algorithms import KMeans
from amazon_estimators.client.local_encoding import encode_files
from amazon_estimators.record_sets.manifest import StoredRecordSet
from amazon_estimators.sources import Source
from amazon_estimators_rehearsal import report


@pytest.mark.parametrize("gaps", [0, 3])
def test_rows_left_out_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gaps: int) -> None:
    (tmp_path / "a.csv").write_text("a,b\n" + "1,2\n" * 7 + "NA,2\n" * gaps)
    record_set: Any = encode_files(
        [tmp_path / "a.csv"],
        tmp_path / "out",
        KMeans,
        channel="train",
        source=Source(drop_incomplete=True),
        instance_count=1,
        target_shard_bytes=2**20,
        prefix="s3://b/p/",
        progress=lambda *_: None,
    )
    stored = StoredRecordSet(record_set, ())
    monkeypatch.setattr(report, "stored_record_set", lambda *_: stored)
    told = dict(report._record_set_rows(None, {"ChannelName": "train"}, None))
    assert told.get("left out", "").startswith(f"{gaps} of {7 + gaps} rows") == bool(gaps)
