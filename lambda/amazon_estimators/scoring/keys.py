"""Name what a prediction pipeline writes beside its RecordSets, once for its steps and their IAM statements.

``prefix`` is the prediction pipeline's: empty, or ending with a slash. ``attempt`` is one attempt of one
execution: what another one left unfinished is never taken for its own.

    <prefix>input/                                             uploaded by users
    <prefix>answers/<attempt>/matrix_00000.pbr.out, …          of a transform job
    <prefix>predictions/<attempt>/part_00000.csv, …            in the order of the input
                                  _manifest.json               written last; Athena and Spark pass over it
    <prefix>recordsets/<fingerprint>/executions/<attempt>/parts.jsonl, parts/<shard>.json
"""

from __future__ import annotations

from amazon_estimators.pipeline.keys import EXECUTIONS

CHANNEL = "rows"
"""The one channel of a prediction pipeline."""
ANSWERS = "answers/"
PREDICTIONS = "predictions/"
MANIFEST = "_manifest.json"
PARTS = "parts.jsonl"
PART = "part_"


def answers_prefix(prefix: str) -> str:
    """Return the prefix of what transform jobs write."""
    return f"{prefix}{ANSWERS}"


def answers_root(prefix: str, attempt: str) -> str:
    """Return the prefix of what the transform job of one attempt writes."""
    return f"{answers_prefix(prefix)}{attempt}/"


def predictions_prefix(prefix: str) -> str:
    """Return the prefix of all predictions of a pipeline."""
    return f"{prefix}{PREDICTIONS}"


def predictions_root(prefix: str, attempt: str) -> str:
    """Return the prefix of the predictions of one attempt."""
    return f"{predictions_prefix(prefix)}{attempt}/"


def part_key(root: str, shard: int, extension: str) -> str:
    """Return the key of the predictions for one shard.

    Example:
        >>> part_key("predictions/nightly-0/", 3, "csv")
        'predictions/nightly-0/part_00003.csv'
    """
    return f"{root}{PART}{shard:05d}.{extension}"


def manifest_key(root: str) -> str:
    """Return the key of the list of parts. Predictions with a manifest are complete."""
    return f"{root}{MANIFEST}"


def parts_key(root: str, attempt: str) -> str:
    """Return the key of the items of the Map that scores; ``root`` is the RecordSet's."""
    return f"{root}{EXECUTIONS}{attempt}/{PARTS}"


def part_receipts_prefix(root: str, attempt: str) -> str:
    """Return the prefix of what is known of the parts of one attempt; ``root`` is the RecordSet's."""
    return f"{root}{EXECUTIONS}{attempt}/parts/"


def part_receipt_key(root: str, attempt: str, shard: int) -> str:
    """Return the key of what is known of one part."""
    return f"{part_receipts_prefix(root, attempt)}{shard:05d}.json"
