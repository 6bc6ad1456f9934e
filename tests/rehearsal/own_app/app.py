"""An app as users have one: no outputs, no settings of ours, a stage, and triggers of each kind."""

from __future__ import annotations

from aws_cdk import App, Stack, Stage

from amazon_estimators.algorithms import PCA, KMeans
from amazon_estimators.sources import Source
from cdk_amazon_estimators import TrainingPipeline, UploadTrigger, new_data_bucket, new_model_bucket

app = App()
stack = Stack(app, "Own")
buckets = {"data_bucket": new_data_bucket(stack, "Data"), "model_bucket": new_model_bucket(stack, "Models")}
TrainingPipeline(
    stack,
    "Marked",
    algorithm=KMeans(k=10),
    instance_type="ml.m5.large",
    prefix="marked/",
    triggers=[UploadTrigger(marker="_DONE")],
    **buckets,
)
TrainingPipeline(
    stack, "Quiet", algorithm=KMeans(k=3), instance_type="ml.m5.large", prefix="quiet/", **buckets
)
silent = Stack(Stage(app, "Stage"), "Silent")
TrainingPipeline(
    silent,
    "Pipeline",
    algorithm=PCA(num_components=2),
    instance_type="ml.m5.large",
    channels={"train": Source(exclude=("cultivar",))},
    triggers=[],
)
app.synth()
