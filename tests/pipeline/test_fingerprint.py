"""The fingerprint names a RecordSet by all that its bytes and manifests depend on, and by nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from amazon_estimators.algorithms import LinearLearner
from amazon_estimators.algorithms.channel_rules import REPLICATED, SHARDED
from amazon_estimators.pipeline import fingerprint as fingerprinting
from amazon_estimators.pipeline import plan as planning
from amazon_estimators.pipeline.data_set import DataSet
from amazon_estimators.pipeline.input_scan import Found
from amazon_estimators.pipeline.plan import make_plan
from amazon_estimators.pipeline.settings import Settings
from amazon_estimators.sources import Layout, Schema, Source
from amazon_estimators.storage.s3 import InputObject

OBJECT = InputObject("data", "input/train/a.csv", 1000, "etag", "version")
UNVERSIONED = replace(OBJECT, version_id=None)
SETTINGS: dict[str, Any] = {
    "pipeline": "Stack/Digits",
    "algorithm": "LinearLearner",
    "hyperparameters": {"predictor_type": "regressor"},
    "instance_type": "ml.m5.large",
    "instance_count": 2,
    "job_name_prefix": "digits-1a2b3c4d",
    "data_bucket": "data",
    "prefix": "",
    "target_shard_bytes": 2**20,
    "channels": {"train": {}},
}


@dataclass(frozen=True)
class Given:
    """What a plan is made of; each case is another one. ``rule`` and ``module`` replace what is there."""

    settings: dict[str, Any] = field(default_factory=dict)
    objects: tuple[InputObject, ...] = (OBJECT,)
    rule: dict[str, Any] = field(default_factory=dict)
    module: dict[str, Any] = field(default_factory=dict)


def source(**options: Any) -> Given:
    return Given(settings={"channels": {"train": options}})


def with_second(channel: str) -> Given:
    """Two channels that are alike but for their names."""
    alike = {name: {"prefix": "both/"} for name in ("train", channel)}
    return Given(settings={"channels": alike, "distributions": {"train": REPLICATED}})


SOURCE_OPTIONS: dict[str, Any] = {
    "prefix": "elsewhere/",
    "include": ["*.csv", "*.npy", "*"],
    "skip": ["none.csv"],
    "format": "libsvm",
    "compression": "none",
    "label": 0,
    "features": [1, 2],
    "exclude": [3],
    "header": "absent",
    "delimiter": ";",
    "quoting": "none",
    "escape": "\\",
    "decimal": ",",
    "quoted_newlines": False,
    "feature_count": 9,
    "first_index": 0,
    "keep_labels": False,
    "partitions": True,
    "fill": {0: 1},
    "drop_incomplete": True,
    "one_hot": {0: ["a"]},
    "unknown": "zeros",
    "hashed": {0: 8},
    "scale": {0: [1, 2]},
    "classes": ["no", "yes"],
}
COMPANIONS: dict[str, Any] = {"unknown": {"one_hot": {0: ["b"]}}, "classes": {"label": 0}}
"""Options without which another has no meaning."""
CHANGED: dict[str, Given] = {
    "instance count": Given(settings={"instance_count": 3}),
    "one instance, which gets all as its share": Given(settings={"instance_count": 1}),
    "distribution": Given(settings={"distributions": {"train": REPLICATED}}),
    "target_shard_bytes": Given(settings={"target_shard_bytes": 2**20 + 1}),
    "the pipeline's prefix": Given(settings={"prefix": "digits/"}),
    "a second channel": with_second("test"),
    "another second channel, the same but for its name": with_second("validation"),
    "content type": Given(rule={"content_type": "text/csv"}),
    "ENCODING_VERSION": Given(module={"ENCODING_VERSION": fingerprinting.ENCODING_VERSION + 1}),
    "key": Given(objects=(replace(OBJECT, key="input/train/b.csv"),)),
    "size": Given(objects=(replace(OBJECT, size=1001),)),
    "version": Given(objects=(replace(OBJECT, version_id="version 2"),)),
    "no version": Given(objects=(UNVERSIONED,)),
    "ETag where there is no version": Given(objects=(replace(UNVERSIONED, etag="another"),)),
    "one more object": Given(objects=(OBJECT, replace(OBJECT, key="input/train/b.csv"))),
    "columns by another name": source(label="0"),
    "columns in another order": source(features=[2, 1]),
}
SAME: dict[str, Given] = {
    "hyperparameters": Given(settings={"hyperparameters": {"predictor_type": "regressor", "epochs": "9"}}),
    "instance type": Given(settings={"instance_type": "ml.c5.large"}),
    "the pipeline's name": Given(settings={"pipeline": "Stack/Other", "job_name_prefix": "other-1a2b3c4d"}),
    "the default distribution": Given(settings={"distributions": {"train": SHARDED}}),
    "the default of an option": source(header="auto", exclude=[]),
    "the default prefix": source(prefix="input/train/"),
    "ETag of the same version": Given(objects=(replace(OBJECT, etag="another"),)),
    "a rule for labels": Given(rule={"label": "optional"}),
}


class Nowhere:
    """S3 that takes the plan."""

    def put_object(self, **_: Any) -> dict[str, str]:
        return {"ETag": '"e"'}


def fingerprint(given: Given) -> str:
    settings = Settings.from_dict({**SETTINGS, **given.settings})
    layout = Layout(Schema(4, None, None, None), 0, 100, records=100)
    found = Found([(one, layout) for one in given.objects], looked=True, source=Source())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(planning, "find", lambda *_: found)
        for name, value in given.module.items():
            patched.setattr(fingerprinting, name, value)
        rules = {name: replace(rule, **given.rule) for name, rule in LinearLearner.channels.items()}
        patched.setattr(LinearLearner, "channels", rules)
        channels = settings.channels_for(LinearLearner)
        plan, _ = make_plan(
            Nowhere(),
            channels,
            DataSet("0" * 24, datetime.now(UTC), {}),
            bucket=settings.data_bucket,
            prefix=settings.prefix,
            target_shard_bytes=settings.target_shard_bytes,
        )
    assert plan.prefix == f"{settings.prefix}recordsets/{plan.fingerprint}/"
    return plan.fingerprint


@pytest.mark.parametrize("option", [one.name for one in fields(Source)])
def test_every_option_of_a_source_changes_it(option: str) -> None:
    others = COMPANIONS.get(option, {})
    assert fingerprint(source(**others, **{option: SOURCE_OPTIONS[option]})) != fingerprint(source(**others))


@pytest.mark.parametrize("case", CHANGED)
def test_what_changes_it(case: str) -> None:
    assert fingerprint(CHANGED[case]) != fingerprint(Given())


@pytest.mark.parametrize("case", SAME)
def test_what_does_not(case: str) -> None:
    assert fingerprint(SAME[case]) == fingerprint(Given())


def test_no_two_changes_are_the_same() -> None:
    """One option's value is never taken for another's."""
    options = [source(**{**COMPANIONS.get(name, {}), name: value}) for name, value in SOURCE_OPTIONS.items()]
    cases = [Given(), *CHANGED.values(), *options]
    assert len({fingerprint(one) for one in cases}) == len(cases)


def test_instances_that_all_get_everything_share_one() -> None:
    replicated = {"distributions": {"train": REPLICATED}}
    two, three = (Given(settings={**replicated, "instance_count": count}) for count in (2, 3))
    assert fingerprint(two) == fingerprint(three)
