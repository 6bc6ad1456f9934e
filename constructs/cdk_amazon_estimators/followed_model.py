"""Check what a construct takes as ``model``: the pipeline whose models it scores with or serves."""

from __future__ import annotations

from cdk_amazon_estimators.pipeline_base import TrainingPipelineBase
from cdk_amazon_estimators.props.problems import Problems
from cdk_amazon_estimators.training_pipeline import TrainingPipeline


def check_model(problems: Problems, model: object) -> None:
    """Note anything but a TrainingPipeline of this app."""
    if isinstance(model, TrainingPipeline):
        return
    if isinstance(model, TrainingPipelineBase):
        problems.unless(
            False,
            f"model is {model.node.path}, a reference by from_attributes or from_parameter: it does not know "
            "algorithm, image, channels and registry of its models; allowed: the TrainingPipeline, from any "
            "stack of its app. Move this construct into that app. From another app, start its executions "
            "(grant_start_execution) or call its endpoint by name.",
        )
        return
    problems.unless(
        False,
        f"model is a {type(model).__name__}; allowed: a TrainingPipeline of this app, whose algorithm and "
        "image are known",
    )
