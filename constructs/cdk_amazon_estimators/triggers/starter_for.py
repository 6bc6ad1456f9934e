"""Give a pipeline its starter: triggers send to it, and it starts executions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import aws_kms as kms
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from amazon_estimators.pipeline.event_names import TRAINING_ENDS
from cdk_amazon_estimators.encoder import RecordSetEncoder
from cdk_amazon_estimators.storage.bucket_events import ensure_events
from cdk_amazon_estimators.storage.pipeline_layout import PipelineLayout
from cdk_amazon_estimators.triggers.starter import TrainingStarter
from cdk_amazon_estimators.triggers.trigger import Trigger
from cdk_amazon_estimators.triggers.upload import UploadTrigger


def starter_for(
    pipeline: Construct,
    triggers: Sequence[Trigger],
    *,
    state_machine: sfn.IStateMachine,
    layout: PipelineLayout,
    encoder: RecordSetEncoder,
    max_concurrent: int,
    encryption_key: kms.IKey | None,
    ends: Sequence[str] = TRAINING_ENDS,
    tells: Mapping[str, str] | None = None,
) -> TrainingStarter | None:
    """Return the starter of ``triggers``, or None without triggers; the arguments are TrainingStarter's.

    An UploadTrigger makes the data bucket send its events.
    """
    if not triggers:
        return None
    if any(isinstance(trigger, UploadTrigger) for trigger in triggers):
        ensure_events(pipeline, layout.data_bucket)
    starter = TrainingStarter(
        pipeline,
        "Starter",
        state_machine=state_machine,
        pipeline=pipeline.node.path,
        layout=layout,
        encoder=encoder,
        max_concurrent=max_concurrent,
        encryption_key=encryption_key,
        ends=ends,
        tells=tells,
    )
    for number, trigger in enumerate(triggers):
        starter.add(f"{type(trigger).__name__}{number or ''}", trigger)
    return starter
