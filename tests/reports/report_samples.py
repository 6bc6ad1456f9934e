"""Facts of trainings as pages tell them: of few and of many features, with names as attackers choose them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from amazon_estimators.algorithms import LinearLearner
from amazon_estimators.pipeline.channel_origin import ChannelOrigin
from amazon_estimators.record_sets.profiles.comparison import compare
from amazon_estimators.record_sets.profiles.document import ProfileDocument
from amazon_estimators.record_sets.profiles.feature_profile import ProfileBuilder
from amazon_estimators.record_sets.profiles.findings import warnings_of
from amazon_estimators.record_sets.read_as import ReadAs
from amazon_estimators.record_sets.record_set import RecordSet
from amazon_estimators.reports.facts import ChannelFacts, ReportFacts, Step
from amazon_estimators.storage.s3 import InputObject
from amazon_estimators.summaries import Labels

HOSTILE = (
    "<script>alert(1)</script>",
    "\" onload=alert(1) x='",
    "</style></svg><img src=x onerror=alert(1)>",
    "\u202etxt.exe\u202c",
    "\u05d4\u05db\u05e0\u05e1\u05d4 \u05d7\u05d5\u05d3\u05e9\u05d9\u05ea",  # Hebrew
    "\u0631\u0627\u062a\u0628\u200c\u0647\u0627",  # Persian, with a joiner that belongs there
    "a&amp;b&lt;c",
    "]]><!--",
    "tab\tand\nline",
    "half\ud800",
    "\x00\x1b[31m",
    "javascript:alert(1)",
    "{{7*7}}${7*7}",
    "x" * 5_000,
    "",
)
BUCKET, JOB = "churn-data", "churn-1a2b3c4d-5e6f7081-0123456789-0-0"


def profile(
    features: int, names: tuple[str, ...] | None, *, moved: float = 0.0, rows: int = 2_000
) -> ProfileDocument:
    """A profile of features of several shapes; a tenth of them move by ``moved`` deviations."""
    rng = np.random.default_rng(3)
    rows = max(200, min(rows, 4_000_000 // features))
    data = rng.normal(size=(rows, features)).astype(np.float32)
    data[:, 1::4] = rng.exponential(2.0, size=data[:, 1::4].shape)
    data[:, 2::4] = rng.integers(0, 5, size=data[:, 2::4].shape)
    data[:, 3::4] = np.where(
        rng.random(data[:, 3::4].shape) < 0.8, 0, rng.lognormal(size=data[:, 3::4].shape)
    )
    data[:, ::10] += moved
    data[:, 17::100] = 7.0
    builder = ProfileBuilder()
    builder.add_dense(data)
    made = builder.profile()
    assert made is not None
    return ProfileDocument(made, names, shards=2, warnings=warnings_of(made, names))


def names_of(features: int) -> tuple[str, ...]:
    stems = ("age", "income", "visits", "balance", "tenure", "calls", "discount", "score")
    return tuple(f"{stems[number % 8]}_{number // 8}" for number in range(features))


def facts(features: int = 50, *, names: tuple[str, ...] | None = None, text: str = "") -> ReportFacts:
    """A training of LinearLearner with a gate, five earlier trainings and features that moved.

    ``text`` is put wherever a user's text goes.
    """
    named = names or names_of(features)
    before, after = profile(features, named), profile(features, named, moved=0.8)
    lines = (
        "files: 3 of 24,369,012 bytes, first 2026-01.csv; left out: 1 file that begins with a dot",
        "format: csv, a header, fields separated by ',', quotes enclose fields",
        f"features: {features:,} dense, 'age_0', 'income_0', and more; label: churn",
        f"not read: columns 'customer'{text}",
        "cut: at rows, by bytes of input",
        *([f"note: {text}"] if text else []),
    )
    record_set = RecordSet(
        s3_data=f"s3://{BUCKET}/churn/recordsets/5e6f7081/train/.amazon.manifest",
        num_records=48_211,
        feature_dim=features,
        content_type="application/x-recordio-protobuf",
        labels=Labels(0.0, 1.0, True),
        num_bytes=9_812_345,
        num_shards=2,
        read_as=ReadAs({}, named, "churn", lines),
        dropped=120,
    )
    objects = [
        InputObject(
            BUCKET, f"churn/input/train/2026-0{month}{text}.csv", 8_123_004 + month, "e", f"v{month}{text}"
        )
        for month in range(1, 4)
    ]
    origin = ChannelOrigin(
        channel="train",
        record_set=record_set.s3_data,
        fingerprint="5e6f7081" * 3,
        records=48_211,
        shards=2,
        data_set="0b1c2d3e4f5a6b7c8d9e0f1a",
        objects=objects,
        listed_at=f"s3://{BUCKET}/churn/datasets/0b1c2d3e4f5a6b7c8d9e0f1a.jsonl.gz",
    )
    channel = ChannelFacts(
        name="train",
        record_set=record_set,
        profile=after,
        before=before,
        comparison=compare(before, after),
        against=f"Compared with the last training, churn-5{text} at 2026-02-05T12:00:00.000+00:00.",
        origin=origin,
    )
    other = replace(
        channel,
        name="test",
        record_set=replace(
            record_set, channel="test", num_records=9_120, num_shards=1, dropped=0, read_as=None
        ),
        profile=None,
        before=None,
        comparison=None,
        against="",
        origin=None,
        missing=(text,) if text else (),
    )
    trainings = [past(number) for number in range(1, 6)]
    return ReportFacts(
        title=f"MyStack/Churn{text}",
        made="2026-03-01T12:07:31+00:00",
        about={
            "execution": f"monday{text}",
            "reason": text or "schedule at 2026-03-01T12:00:00Z",
            "data set version": origin.data_set,
            "training job": JOB,
            "instances": "1 x ml.m5.large",
            "billable seconds": 203,
            "cost": "0.0065 USD",
        },
        warnings=[f"channel train: {record_set.dropped_rows}", *([text] if text else [])],
        channels=[channel, other],
        algorithm=LinearLearner,
        hyperparameters={
            "feature_dim": str(features),
            "predictor_type": "binary_classifier",
            "learning_rate": "0.01",
            "epochs": "15",
            **({text[:200]: text} if text else {}),
        },
        metrics={"test:binary_f_beta": 0.846, "test:objective_loss": 0.312, "train:progress": 100.0},
        verdict={
            "good": True,
            "because": f"test:binary_f_beta is 0.846; that of the model in use is 0.832 {text}",
            "metric": "test:binary_f_beta",
            "value": 0.846,
        },
        trainings=trainings,
        current=(f"churn-5{text}", {"test:binary_f_beta": 0.832, "test:objective_loss": 0.35}),
        steps=[
            Step(name="Plan, Encode and Seal", seconds=21.4),
            Step(name="Train", seconds=298.2, cost="0.0065 USD"),
            Step(name="Starting", seconds=95.0, of="Train"),
            Step(name="Downloading", seconds=12.2, of="Train"),
            Step(name="Training", seconds=181.7, of="Train"),
            Step(name="Uploading", seconds=9.3, of="Train"),
            Step(name="After training", seconds=2.1),
        ],
        cost="0.0065 USD",
        job=JOB,
        model=f"s3://churn-models/churn/models/{JOB}/output/model.tar.gz",
    )


def past(number: int) -> dict[str, Any]:
    return {
        "job": f"churn-{number}",
        "at": f"2026-02-0{number}T12:00:00.000+00:00",
        "metrics": {
            "test:binary_f_beta": 0.80 + 0.008 * number,
            "test:objective_loss": "nan" if number == 2 else 0.4 - 0.01 * number,
        },
        "good": number != 3,
    }
