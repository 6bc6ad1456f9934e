"""PredictionPipeline: what is refused at synth, its states, and what its roles may do."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from aws_cdk import Duration
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from pipeline_stacks import OTHER_VALUES, Synthesised, new_stack
from service_authorization import as_list, fits, granted, reference
from test_pipeline_nag import violations

from amazon_estimators.algorithms import (
    KNN,
    LDA,
    NTM,
    PCA,
    FactorizationMachines,
    IPInsights,
    KMeans,
    LinearLearner,
    Object2Vec,
    RandomCutForest,
)
from amazon_estimators.algorithms.algorithm import Algorithm
from amazon_estimators.errors import AmazonEstimatorsError
from amazon_estimators.pipeline.metrics import PREDICTION_COUNTS, metric_line
from amazon_estimators.scoring.settings import ScoringSettings
from amazon_estimators.sources import Source
from cdk_amazon_estimators import (
    PipelineError,
    PredictionPipeline,
    Registration,
    TrainingPipeline,
    UploadTrigger,
)

INSTANCE = "ml.m5.large"


def training(stack: Any, algorithm: Algorithm | None = None, **props: Any) -> TrainingPipeline:
    return TrainingPipeline(
        stack, "Digits", **{"algorithm": algorithm or KMeans(k=3), "instance_type": INSTANCE, **props}
    )


def scores(algorithm: Algorithm | None = None, **props: Any) -> PredictionPipeline:
    return PredictionPipeline(new_stack_with(algorithm), "Scores", **props)


def new_stack_with(algorithm: Algorithm | None) -> Any:
    stack = new_stack()
    training(stack, algorithm)
    return stack


@pytest.fixture(scope="module")
def batch() -> Synthesised:
    """Everything a prediction pipeline with transform jobs can have."""
    stack = new_stack(region="eu-west-1")
    key = kms.Key(stack, "Key", enable_key_rotation=True)
    model = training(stack, encryption_key=key, registration=Registration())
    PredictionPipeline(
        stack,
        "Scores",
        model=model,
        instance_type=INSTANCE,
        instance_count=2,
        vpc=OTHER_VALUES["vpc"](stack),
        enable_network_isolation=True,
        triggers=[UploadTrigger(marker="_SUCCESS")],
        notification_topic=sns.Topic(stack, "Topic", master_key=key, enforce_ssl=True),
        service_encryption_key=key,
        tags={"team": "forecast"},
    )
    return Synthesised(stack, model)


def machine(made: Synthesised, name: str) -> dict[str, Any]:
    (found,) = [
        one
        for name_of, one in made.of_type("AWS::StepFunctions::StateMachine").items()
        if name_of.startswith(name)
    ]
    states: dict[str, Any] = json.loads(found["DefinitionString"])["States"]
    return states


@pytest.mark.parametrize(
    ("algorithm", "why"),
    [
        (KNN(k=3, predictor_type="classifier", sample_size=10), "Faiss"),
        (RandomCutForest(), "does not document the file that holds the trees"),
        (Object2Vec(enc0_max_seq_len=2, enc0_vocab_size=10), "does not document"),
        (IPInsights(num_entity_vectors=10, vector_dim=4), "does not document"),
        (LDA(num_topics=2), "not public"),
        (NTM(num_topics=2), "not public"),
    ],
)
def test_numpy_is_refused_with_the_reason_and_its_source(algorithm: Algorithm, why: str) -> None:
    stack = new_stack()
    source = {"train": Source(label=0)} if isinstance(algorithm, KNN) else None
    model = training(stack, algorithm, **({"channels": source} if source else {}))
    with pytest.raises(PipelineError, match=why) as refused:
        PredictionPipeline(stack, "Scores", model=model, engine="numpy")
    assert "Source: https://docs.aws.amazon.com/" in str(refused.value)
    assert "engine='transform'" in str(refused.value)
    PredictionPipeline(stack, "Batch", model=model, instance_type=INSTANCE)


@pytest.mark.parametrize("algorithm", [KMeans(k=3), PCA(num_components=2)])
def test_numpy_takes_no_instance(algorithm: Algorithm) -> None:
    stack = new_stack()
    model = training(stack, algorithm)
    pipeline = PredictionPipeline(stack, "Scores", model=model, engine="numpy")
    assert pipeline.transform_role is None
    states = machine(Synthesised(stack, model), "Scores")
    assert not any("sagemaker" in str(state.get("Resource")) for state in states.values())


@pytest.mark.parametrize(
    "algorithm",
    [
        LinearLearner(predictor_type="regressor"),
        FactorizationMachines(predictor_type="regressor", num_factors=2),
    ],
)
def test_what_learns_from_a_label_scores_without_one(algorithm: Algorithm) -> None:
    stack = new_stack()
    model = training(stack, algorithm, channels={"train": Source(label="price")})
    made = PredictionPipeline(stack, "Scores", model=model, engine="numpy")
    assert made.layout.inputs == ["scores/input/"]


@pytest.mark.parametrize(
    ("props", "said"),
    [
        ({}, "instance_type is left out"),
        ({"engine": "numpy", "instance_type": INSTANCE}, "engine='numpy' runs none"),
        ({"engine": "spark", "instance_type": INSTANCE}, "allowed: 'transform' or 'numpy'"),
        ({"engine": "numpy", "output_format": "xml"}, "allowed: 'csv' or 'jsonlines'"),
        ({"engine": "numpy", "prefix": "scores"}, "folders that each end with"),
        ({"engine": "numpy", "prefix": ""}, "overlap in the same bucket"),
        ({"engine": "numpy", "source": Source(prefix="scores/predictions/mine/")}, "would start it again"),
        ({"engine": "numpy", "max_concurrency": 0}, "max_concurrency is 0"),
        ({"engine": "numpy", "max_concurrent": 0}, "max_concurrent is 0"),
        ({"engine": "numpy", "triggers": [UploadTrigger(quiet_period=Duration.days(9))]}, "quiet_period"),
        ({"engine": "numpy", "keep": "id"}, "columns by name or position"),
        ({"engine": "numpy", "keep": ["distance_to_cluster"]}, "the predictions of KMeans have too"),
        ({"instance_type": INSTANCE, "instance_count": 0}, "instance_count is 0"),
        ({"instance_type": INSTANCE, "capacity_wait": Duration.days(4)}, "capacity_wait"),
        ({"instance_type": INSTANCE, "timeout": Duration.days(400)}, "up to a year"),
        ({"instance_type": [INSTANCE]}, "instance_type"),
        ({"engine": "numpy", "source": Source(drop_incomplete=True)}, "every row gets a prediction"),
    ],
)
def test_props_that_cannot_work_are_refused(props: dict[str, Any], said: str) -> None:
    stack = new_stack()
    model = training(stack)
    with pytest.raises(AmazonEstimatorsError, match=re.escape(said)):
        PredictionPipeline(stack, "Scores", model=model, **props)


def test_only_a_training_pipeline_has_models() -> None:
    with pytest.raises(PipelineError, match="allowed: a TrainingPipeline"):
        PredictionPipeline(new_stack(), "Scores", model="models/", instance_type=INSTANCE)  # type: ignore[arg-type]


def test_two_pipelines_of_one_prefix_are_refused() -> None:
    stack = new_stack()
    model = training(stack)
    PredictionPipeline(stack, "Scores", model=model, engine="numpy")
    with pytest.raises(PipelineError, match="overlap"):
        PredictionPipeline(stack, "More", model=model, engine="numpy")
    PredictionPipeline(stack, "Others", model=model, engine="numpy", prefix="others/")


def test_the_transform_job_is_asked_for_as_the_service_takes_it(batch: Synthesised) -> None:
    states = machine(batch, "Scores")
    job = states["Transform"]["Parameters"]
    assert job["TransformInput"]["SplitType"] == "RecordIO"
    assert job["TransformOutput"]["AssembleWith"] == "Line"
    assert (job["TransformResources"]["InstanceCount"], job["BatchStrategy"]) == (2, "MultiRecord")
    assert "VolumeKmsKeyId" in job["TransformResources"]
    assert "KmsKeyId" in job["TransformOutput"]
    model = states["CreateModel"]["Parameters"]
    assert model["EnableNetworkIsolation"] is True
    assert {"SecurityGroupIds", "Subnets"} == set(model["VpcConfig"])


def test_every_error_of_a_job_deletes_its_model_first(batch: Synthesised) -> None:
    states = machine(batch, "Scores")
    assert states["Transform"]["Next"] == "DeleteModel"
    assert [catch["Next"] for catch in states["Transform"]["Catch"]] == ["Adopt", "IsCapacity"]
    assert states["IsCapacity"]["Default"] == "DiscardModel"
    assert states["Adopted"]["Next"] == "DeleteModel"
    assert states["IsModelThere"]["Default"] == "DiscardModel"
    assert states["DiscardModel"]["Next"] == "Explain"
    assert [one["Next"] for one in states["DiscardModel"]["Catch"]] == ["Explain"]
    assert states["RedrivenOfScores"]["Next"] == "DeleteModel"


def test_statements_name_actions_and_resources_that_aws_knows(batch: Synthesised) -> None:
    policies = [
        (f"{resource['Type']} {name}", statement)
        for name, resource in batch.resources.items()
        if resource["Type"] == "AWS::IAM::Policy"
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]
    ]
    wrong = [
        (where, action)
        for where, action, statement in granted(policies)
        if not reference(action)
        or not (
            "*" in as_list(statement["Resource"])
            or any(
                fits(resource, row["resource_arn_format"])
                for resource in as_list(statement["Resource"])
                for row in reference(action)
            )
        )
    ]
    assert wrong == []


def test_the_role_of_a_transform_job_reads_rows_and_models_and_writes_answers(batch: Synthesised) -> None:
    statements = batch.statements("ScoresTransformRole")
    written = [
        resource
        for statement in statements
        if "s3:PutObject" in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    ]
    assert len(written) == 1
    assert written[0].endswith("/scores/answers/*")


@pytest.mark.parametrize("own", [True, False])
def test_thousands_of_columns_go_to_s3_and_plan_may_read_them(own: bool) -> None:
    """The channel's own, or those of the training channel."""
    many = Source(features=tuple(f"feature_{number:05}" for number in range(20_000)))
    stack = new_stack()
    model = training(stack, channels={"train": many})
    PredictionPipeline(stack, "Scores", model=model, engine="numpy", source=many if own else None)
    found = Synthesised(stack)
    definition = next(
        json.loads(one["DefinitionString"])
        for name, one in found.of_type("AWS::StepFunctions::StateMachine").items()
        if name.startswith("Scores")
    )
    settings = definition["States"]["Plan"]["Parameters"]["pipeline"]
    columns = ScoringSettings.from_dict(settings).columns
    assert columns is not None
    assert len(json.dumps(definition)) < 50_000
    allowed = [one for one in found.statements("RecordSetEncoderPlanRole") if one["Action"] == "s3:GetObject"]
    name = f"arn:aws:s3:::{columns['bucket']}/{columns['key']}"
    assert any(name in as_list(one["Resource"]) for one in allowed)


def test_every_metric_is_one_that_a_function_writes() -> None:
    pipeline = PredictionPipeline(stack := new_stack(), "Scores", model=training(stack), engine="numpy")
    found = [
        getattr(pipeline, f"metric_{what}")(period=Duration.hours(1))
        for what in ("ready", "failed", "skipped", "waiting")
    ]
    assert {metric.metric_name for metric in found} == set(PREDICTION_COUNTS.values())
    for told, name in PREDICTION_COUNTS.items():
        line = metric_line(told, {"state_machine": "arn", "pipeline": "Stack/Scores"}, now=0)
        assert line is not None
        assert line[name] == 1


def test_cdk_nag_has_nothing_to_say_of_it() -> None:
    stack = new_stack(region="eu-west-1")
    model = training(stack)
    before = violations(Synthesised(stack, model), "AwsSolutions")
    stack = new_stack(region="eu-west-1")
    model = training(stack)
    PredictionPipeline(stack, "Scores", model=model, instance_type=INSTANCE)
    assert violations(Synthesised(stack, model), "AwsSolutions") == before
