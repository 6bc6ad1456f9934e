"""Drift: compare what an endpoint was asked with what its model was trained on, feature by feature.

Captured requests are profiled by the code that profiles a RecordSet as it is encoded, and the profiles are
compared as two RecordSets are.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from amazon_estimators.errors import AmazonEstimatorsError, InputError
from amazon_estimators.inference.request_rows import read_rows
from amazon_estimators.inference.rows import dense_blocks, vectors
from amazon_estimators.pipeline.metrics import embedded, put
from amazon_estimators.record_sets.keys import PROFILE
from amazon_estimators.record_sets.profiles.comparison import Shift, compare
from amazon_estimators.record_sets.profiles.document import ProfileDocument
from amazon_estimators.record_sets.profiles.feature_profile import FeatureProfile, ProfileBuilder
from amazon_estimators.serving.calls import call
from amazon_estimators.serving.deploy import model_in_use
from amazon_estimators.serving.sample import manifest_of
from amazon_estimators.serving.settings import EndpointSettings
from amazon_estimators.serving.wanted import VARIANT
from amazon_estimators.storage.s3 import list_stored, read_object
from amazon_estimators.storage.s3_uri import Place

ENDPOINT = "EndpointName"
DRIFTED, LARGEST, REQUESTS, SKIPPED = "DriftedFeatures", "LargestDrift", "RequestsCompared", "RequestsSkipped"
"""Metrics: features that moved, the largest population stability index, requests read and not read."""
MOST_BYTES = 256 * 2**20
"""Bytes of captured requests that are read at a time; with more traffic, capture a part of it."""
LONGEST_OBJECT = 64 * 2**20
MOST_NAMED = 20


@dataclass
class Captured:
    """The requests of some hours.

    Attributes:
        profile: Their profile; None without any.
        requests: The number of requests in it.
        skipped: Requests that could not be read, and those beyond ``MOST_BYTES``.
    """

    profile: FeatureProfile | None
    requests: int
    skipped: int


def drift(
    s3: Any, sagemaker: Any, settings: EndpointSettings, *, hours: int, now: datetime
) -> dict[str, Any]:
    """Compare the requests of the last hours with the training data of the model in use; write the metrics.

    Args:
        s3: A client.
        sagemaker: A client.
        settings: The endpoint; it captures requests.
        hours: How far to look back, whole hours and the one that has begun.
        now: The time.

    Returns:
        ``requests`` compared and ``skipped``, and ``drifted``: the features that moved, the worst first, each
        with its figures. None of these if there is no model yet.
    """
    current = model_in_use(s3, sagemaker, settings)
    if current is None:
        return {"requests": 0, "skipped": 0, "drifted": []}
    job = call(sagemaker.describe_training_job, current.job, TrainingJobName=current.job)
    place = manifest_of(job).beside(PROFILE)
    before = ProfileDocument.from_json(read_object(s3, place.bucket, place.key), place.uri)
    captured = captured_since(s3, settings, hours=hours, now=now, features=before.profile.features)
    shifts: tuple[Shift, ...] = ()
    if captured.profile is not None:
        shifts = compare(before, ProfileDocument(captured.profile, before.names)).shifts
    moved = [shift for shift in shifts if shift.moved]
    line = {ENDPOINT: settings.name, "job": current.job}
    put(embedded(line, [[ENDPOINT]], drift_metrics(captured, shifts), now=time.time()))
    return {
        "requests": captured.requests,
        "skipped": captured.skipped,
        "drifted": [asdict(shift) for shift in moved[:MOST_NAMED]],
    }


def drift_metrics(captured: Captured, shifts: Sequence[Shift]) -> dict[str, tuple[float, str]]:
    """Return the metrics of a comparison, each with its unit: only those of requests if there were none."""
    metrics: dict[str, tuple[float, str]] = {
        REQUESTS: (captured.requests, "Count"),
        SKIPPED: (captured.skipped, "Count"),
    }
    if captured.profile is not None:
        largest = max((shift.psi or 0.0 for shift in shifts), default=0.0)
        metrics |= {
            DRIFTED: (sum(shift.moved for shift in shifts), "Count"),
            LARGEST: (largest, "None"),
        }
    return metrics


def captured_since(
    s3: Any, settings: EndpointSettings, *, hours: int, now: datetime, features: int
) -> Captured:
    """Profile the requests of the last hours, in memory that does not grow with their number.

    A request of another number of features is skipped: the endpoint has refused it, too.
    """
    place = Place.of(settings.config["DataCaptureConfig"]["DestinationS3Uri"], what="captures")
    builder, left = ProfileBuilder(), MOST_BYTES
    requests = skipped = 0
    for back in range(hours, -1, -1):
        hour = (now - timedelta(hours=back)).astimezone(UTC)
        prefix = f"{place.key.rstrip('/')}/{settings.name}/{VARIANT}/{hour:%Y/%m/%d/%H}/"
        for key, _, size in list_stored(s3, place.bucket, prefix):
            if size > min(left, LONGEST_OBJECT):
                skipped += 1
                continue
            left -= size
            for line in read_object(s3, place.bucket, key).splitlines():
                try:
                    _add(builder, _asked(line), features)
                    requests += 1
                except AmazonEstimatorsError:
                    skipped += 1
    return Captured(builder.profile(), requests, skipped)


def _asked(line: bytes) -> Any:
    """Return the rows of one captured request.

    https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
    """
    try:
        asked: Mapping[str, Any] = json.loads(line)["captureData"]["endpointInput"]
        data, encoding = str(asked["data"]), asked["encoding"]
        body = base64.b64decode(data) if encoding == "BASE64" else data.encode()
        content_type = str(asked["observedContentType"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"a line is no captured request: {error}",
            remedy="Delete the object if something else wrote it; the line is skipped.",
        ) from error
    return read_rows(body, content_type)


def _add(builder: ProfileBuilder, rows: Any, features: int) -> None:
    if rows.shape[1] != features:
        raise InputError(
            f"a request has {rows.shape[1]:,} features; expecting {features:,}, as the model was trained on"
        )
    # Requests are small, and a builder takes dense rows or sparse ones, not both.
    for _, block in dense_blocks(vectors(rows)):
        builder.add_dense(block.astype(np.float32, copy=False))
