"""Publish predictions: once every part is there as it was written, the manifest says so."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from amazon_estimators.errors import PredictionsError
from amazon_estimators.logs import note
from amazon_estimators.prefetch import ahead
from amazon_estimators.scoring.keys import manifest_key, part_receipt_key
from amazon_estimators.scoring.score import RECEIPT_SCHEMA
from amazon_estimators.scoring.settings import ScoringSettings
from amazon_estimators.storage.documents import get_document
from amazon_estimators.storage.s3 import list_stored, put_json, read_object

VERSION = 1
"""Raise it when the manifest changes so that an older reader would misunderstand it."""
READS_AT_ONCE = 32
REMEDY = "Start a new execution: it writes the file again."


def publish_predictions(
    s3: Any,
    settings: ScoringSettings,
    *,
    planned: Mapping[str, Any],
    sealed: Mapping[str, Any],
    model: Mapping[str, Any],
) -> dict[str, Any]:
    """Verify all parts and write the manifest: from here on the predictions count as complete.

    Returns:
        What the execution's output and the event tell of the predictions.

    Raises:
        PredictionsError: A part is missing, is not what was written, or has other columns than the first.
    """
    bucket, root = planned["bucket"], planned["output"]
    stored = {key: (etag, size) for key, etag, size in list_stored(s3, bucket, root)}
    shards = [json.loads(line)["shard"] for line in read_object(s3, bucket, sealed["parts_key"]).splitlines()]

    def receipt(shard: int) -> dict[str, Any]:
        key = part_receipt_key(planned["prefix"], planned["attempt"], shard)
        return get_document(s3, bucket, key, RECEIPT_SCHEMA, remedy=REMEDY)

    parts = [*ahead(receipt, shards, width=READS_AT_ONCE)]
    for part in parts:
        if stored.get(part["key"]) != (part["etag"], part["size"]):
            raise PredictionsError(
                f"s3://{bucket}/{part['key']} is missing, or is not what was written there"
            )
        if _names(part) != _names(parts[0]):
            raise PredictionsError(
                f"s3://{bucket}/{part['key']} has the columns {_names(part)}; the first part has "
                f"{_names(parts[0])}"
            )
    rows = sum(part["rows"] for part in parts)
    manifest = {
        "version": VERSION,
        "data_set": planned["data_set"],
        "model": model["model"],
        "job": model["job"],
        "model_package": model["model_package"],
        "format": settings.format,
        "columns": _columns(parts),
        "rows": rows,
        "parts": [
            {"key": part["key"], "rows": part["rows"], "bytes": part["size"], "sha256": part["sha256"]}
            for part in parts
        ],
    }
    key = manifest_key(root)
    put_json(s3, bucket, key, manifest)
    note(rows=rows, parts=len(parts))
    return {"manifest": f"s3://{bucket}/{key}", "rows": rows, "parts": len(parts), "format": settings.format}


def _names(part: Mapping[str, Any]) -> list[str]:
    return [column["name"] for column in part["columns"]]


def _columns(parts: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return the columns of all parts, each with the type that holds what all of them have."""
    found = []
    for at, name in enumerate(_names(parts[0])):
        types = {part["columns"][at]["type"] for part in parts}
        mixed = "number" if types <= {"integer", "number"} else "text"
        found.append({"name": name, "type": types.pop() if len(types) == 1 else mixed})
    return found
