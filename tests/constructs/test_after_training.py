"""Tuning, Gate and Registration: what is refused and why, the states they add, what their roles may do."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import Duration
from botocore.session import Session
from botocore.validate import ParamValidator
from pipeline_stacks import Synthesised, new_stack, warnings, with_props
from test_pipeline_permissions import allowed

from amazon_estimators.algorithms import ALGORITHMS, Algorithm
from amazon_estimators.sources import Source
from cdk_amazon_estimators import (
    Approval,
    CategoricalParameter,
    ContinuousParameter,
    Gate,
    IntegerParameter,
    PipelineError,
    Registration,
    TrainingPipeline,
    Tuning,
)

SETTINGS: dict[str, dict[str, Any]] = {
    "KMeans": {"k": 3},
    "PCA": {"num_components": 2},
    "LDA": {"num_topics": 2},
    "LinearLearner": {"predictor_type": "binary_classifier"},
    "FactorizationMachines": {"predictor_type": "regressor", "num_factors": 2},
    "NTM": {"num_topics": 2},
    "RandomCutForest": {},
    "KNN": {"k": 3, "predictor_type": "classifier", "sample_size": 300},
    "Object2Vec": {"enc0_max_seq_len": 5, "enc0_vocab_size": 10},
    "IPInsights": {"num_entity_vectors": 100, "vector_dim": 8},
}


def algorithm(name: str, **settings: Any) -> Algorithm:
    return ALGORITHMS[name](**{**SETTINGS[name], **settings})


def channels(name: str, *names: str) -> dict[str, Source]:
    """Sources for channels, by default all that are not auxiliary."""
    rules = ALGORITHMS[name].channels
    chosen = names or tuple(one for one in rules if one != "auxiliary")
    return {
        one: Source(label=0) if rules[one].vectors and rules[one].label != "none" else Source()
        for one in chosen
    }


def pipeline(name: str, *names: str, settings: dict[str, Any] | None = None, **props: Any) -> Synthesised:
    stack = new_stack(region="eu-west-1")
    made = TrainingPipeline(
        stack,
        "Digits",
        algorithm=algorithm(name, **(settings or {})),
        instance_type="ml.m5.large",
        channels=channels(name, *names),
        **props,
    )
    return Synthesised(stack, made)


OBJECTIVE = "validation:objective_loss"
REFUSED: dict[str, tuple[str, tuple[str, ...], dict[str, Any], list[str]]] = {
    "PCA has no objective": (
        "PCA",
        ("train",),
        {"tuning": Tuning(objective="test:msd", max_jobs=2)},
        ["PCA logs no metric", "PCA-reference"],
    ),
    "PCA cannot be judged": ("PCA", ("train",), {"gate": Gate(metric="test:msd")}, ["nothing to judge"]),
    "an objective without its channel": (
        "LinearLearner",
        ("train",),
        {"tuning": Tuning(objective=OBJECTIVE)},
        ["needs a channel 'validation'", "Source: https"],
    ),
    "a gate without its channel": (
        "KMeans",
        ("train",),
        {"gate": Gate(metric="test:msd")},
        ["needs a channel 'test'"],
    ),
    "an objective of another predictor type": (
        "LinearLearner",
        (),
        {"tuning": Tuning(objective="validation:mse")},
        ["logged for predictor_type regressor, not for binary_classifier"],
    ),
    "a gate of another predictor type": (
        "FactorizationMachines",
        (),
        {"gate": Gate(metric="test:binary_f_beta")},
        ["logged for predictor_type binary_classifier, not for regressor"],
    ),
    "an unknown objective": (
        "NTM",
        (),
        {"tuning": Tuning(objective="validation:loss")},
        ["is not one of NTM", "Did you mean 'validation:total_loss'"],
    ),
    "a training metric as objective": (
        "KMeans",
        (),
        {"tuning": Tuning(objective="train:msd")},
        ["'train:msd' is not one of KMeans"],
    ),
    "a range outside the algorithm's": (
        "NTM",
        (),
        {
            "tuning": Tuning(
                objective="validation:total_loss", ranges={"learning_rate": ContinuousParameter(0.1, 2.0)}
            )
        },
        ["learning_rate", "2.0"],
    ),
    "a range of an unknown hyperparameter": (
        "KMeans",
        (),
        {"tuning": Tuning(objective="test:msd", ranges={"epoch": IntegerParameter(1, 3)})},
        ["no hyperparameter 'epoch'", "Did you mean 'epochs'"],
    ),
    "a logarithmic scale from 0": (
        "NTM",
        (),
        {
            "tuning": Tuning(
                objective="validation:total_loss",
                ranges={"weight_decay": ContinuousParameter(0.0, 1.0, "Logarithmic")},
            )
        },
        ["Logarithmic scaling from 0", "above 0"],
    ),
    "a range upside down": (
        "KMeans",
        (),
        {"tuning": Tuning(objective="test:msd", ranges={"epochs": IntegerParameter(9, 3)})},
        ["min_value exceeds max_value"],
    ),
    "early stopping without a metric per epoch": (
        "KMeans",
        (),
        {"tuning": Tuning(objective="test:msd", early_stopping=True)},
        ["early_stopping needs an objective", "automatic-model-tuning-early-stopping"],
    ),
    "early stopping of LinearLearner by another metric": (
        "LinearLearner",
        (),
        {"tuning": Tuning(objective="validation:recall", early_stopping=True)},
        ["early_stopping needs an objective"],
    ),
    "Hyperband without a metric per epoch": (
        "LDA",
        (),
        {"tuning": Tuning(objective="test:pwll", strategy="Hyperband")},
        ["strategy Hyperband needs an objective"],
    ),
    "Hyperband with early stopping": (
        "LinearLearner",
        (),
        {"tuning": Tuning(objective=OBJECTIVE, strategy="Hyperband", early_stopping=True)},
        ["early stopping must be Off"],
    ),
    "Grid of numbers": (
        "KMeans",
        (),
        {"tuning": Tuning(objective="test:msd", strategy="Grid")},
        ["Grid searches categorical ranges only"],
    ),
    "an unknown strategy": (
        "KMeans",
        (),
        {"tuning": Tuning(objective="test:msd", strategy="Bayes")},
        ["strategy is 'Bayes'; allowed: Bayesian"],
    ),
    "too many trainings": (
        "KMeans",
        (),
        {"tuning": Tuning(objective="test:msd", max_jobs=751, max_parallel_jobs=101)},
        ["max_jobs is 751", "max_parallel_jobs is 101"],
    ),
    "patience that is too short": (
        "KMeans",
        (),
        {"tuning": Tuning(objective="test:msd", max_jobs_not_improving=2, random_seed=-1)},
        ["max_jobs_not_improving is 2; allowed: 3", "random_seed is -1"],
    ),
    "a search that is too short": (
        "KMeans",
        (),
        {"tuning": Tuning(objective="test:msd", max_runtime=Duration.seconds(60))},
        ["max_runtime is 60", "120"],
    ),
    "nothing left to search": (
        "KNN",
        (),
        {"tuning": Tuning(objective="test:accuracy")},
        ["nothing is left to search", "k, sample_size"],
    ),
    "a floor on the wrong side": (
        "KMeans",
        (),
        {"gate": Gate(metric="test:msd", at_least=0.8)},
        ["test:msd is better the lower it is: give at_most"],
    ),
    "a ceiling on the wrong side": (
        "LDA",
        (),
        {"gate": Gate(metric="test:pwll", at_most=0.8)},
        ["better the higher it is: give at_least"],
    ),
    "a metric that does not compare": (
        "KMeans",
        (),
        {"gate": Gate(metric="train:msd", at_most=1.0)},
        ["does not say which of two models is better"],
    ),
    "a gate that asks nothing": (
        "KMeans",
        (),
        {"gate": Gate(metric="test:msd", against_current=False)},
        ["lets every model through"],
    ),
    "a negative margin": ("KMeans", (), {"gate": Gate(metric="test:msd", margin=-0.1)}, ["margin is -0.1"]),
    "a metric that is not computed": (
        "KMeans",
        (),
        {"gate": Gate(metric="test:ssd")},
        ["test:ssd is not computed, as eval_metrics is msd"],
    ),
    "a group name that SageMaker refuses": (
        "KMeans",
        (),
        {"registration": Registration(model_package_group="my_models")},
        ["model_package_group is 'my_models'"],
    ),
    "values of other types": (
        "KMeans",
        (),
        {
            "gate": Gate(metric="test:msd", at_most="1"),  # type: ignore[arg-type]
            "tuning": Tuning(objective="test:msd", max_jobs="9"),  # type: ignore[arg-type]
            "registration": Registration(approval="Approved"),  # type: ignore[arg-type]
        },
        ["Gate.at_most is '1'", "Tuning.max_jobs is '9'", "Registration.approval is 'Approved'"],
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case: str) -> None:
    name, names, props, texts = REFUSED[case]
    with pytest.raises(PipelineError) as raised:
        pipeline(name, *names, **props)
    for text in texts:
        assert text in str(raised.value)
    assert str(raised.value).startswith("Stack/Digits: ")


def test_a_value_both_fixed_and_searched() -> None:
    tuning = Tuning(objective="test:msd", ranges={"epochs": IntegerParameter(1, 5)})
    with pytest.raises(PipelineError, match="epochs is searched, and set to 2: leave one out"):
        pipeline("KMeans", settings={"epochs": 2}, tuning=tuning)


def test_a_required_hyperparameter_can_be_searched() -> None:
    tuning = Tuning(objective="test:accuracy", ranges={"k": IntegerParameter(1, 20)})
    config = tune_task(pipeline("KNN", tuning=tuning))["Parameters"]["HyperParameterTuningJobConfig"]
    assert config["ParameterRanges"]["IntegerParameterRanges"] == [
        {"Name": "k", "MinValue": "1", "MaxValue": "20", "ScalingType": "Auto"}
    ]


def tune_task(made: Synthesised, state: str = "Tune") -> dict[str, Any]:
    task: dict[str, Any] = made.definition["States"][state]
    return task


TUNABLE = {
    name: next((metric for metric in kind.metrics if metric.objective and not metric.predictor_types), None)
    or next((metric for metric in kind.metrics if metric.objective), None)
    for name, kind in ALGORITHMS.items()
}


@pytest.mark.parametrize("name", [name for name, metric in TUNABLE.items() if metric and name != "KNN"])
def test_the_request_of_every_algorithm_fits_the_service(name: str) -> None:
    metric = TUNABLE[name]
    assert metric is not None
    made = pipeline(name, tuning=Tuning(objective=metric.name, max_jobs=4, random_seed=1, warm_start=True))
    task = tune_task(made, "TuneFromParent")
    request = filled(task["Parameters"])
    shape = Session().get_service_model("sagemaker").operation_model("CreateHyperParameterTuningJob")
    report = ParamValidator().validate(request, shape.input_shape)
    assert not report.has_errors(), report.generate_report()
    ranges = request["HyperParameterTuningJobConfig"]["ParameterRanges"]
    for one in ranges["ContinuousParameterRanges"]:
        wide = float(one["MinValue"]) > 0 and float(one["MaxValue"]) / float(one["MinValue"]) >= 1000
        assert one["ScalingType"] == ("Logarithmic" if wide else "Auto")
    searched = {one["Name"] for kind in ranges.values() for one in kind}
    assert searched
    assert not searched & set(SETTINGS[name])


def filled(parameters: dict[str, Any]) -> dict[str, Any]:
    """The request with a value for each member that comes from the state."""
    values: dict[str, Any] = {
        "HyperParameterTuningJobName": "0a1b2c3d-0123456789-0-0",
        "StaticHyperParameters": {"k": "3"},
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "DataSource": {"S3DataSource": {"S3DataType": "ManifestFile", "S3Uri": "s3://a/b"}},
            }
        ],
        "Tags": [{"Key": "a", "Value": "b"}],
        "WarmStartConfig": {
            "WarmStartType": "TransferLearning",
            "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "a"}],
        },
    }
    request = {}
    for name, value in parameters.items():
        bare = name.removesuffix(".$")
        if bare != name:
            request[bare] = values[bare]
        else:
            request[name] = filled(value) if name == "TrainingJobDefinition" else value
    return request


def test_every_setting_of_the_search_is_sent() -> None:
    tuning = Tuning(
        objective=OBJECTIVE,
        ranges={
            "learning_rate": ContinuousParameter(1e-4, 0.1, "Logarithmic"),
            "use_bias": CategoricalParameter([True, False]),
        },
        max_jobs=7,
        max_parallel_jobs=3,
        strategy="Random",
        early_stopping=True,
        target=0.1,
        max_jobs_not_improving=5,
        stop_on_convergence=True,
        max_runtime=Duration.hours(2),
        random_seed=4,
    )
    config = tune_task(pipeline("LinearLearner", tuning=tuning))["Parameters"][
        "HyperParameterTuningJobConfig"
    ]
    assert config == {
        "Strategy": "Random",
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": OBJECTIVE},
        "ResourceLimits": {
            "MaxNumberOfTrainingJobs": 7,
            "MaxParallelTrainingJobs": 3,
            "MaxRuntimeInSeconds": 7200,
        },
        "ParameterRanges": {
            "IntegerParameterRanges": [],
            "ContinuousParameterRanges": [
                {
                    "Name": "learning_rate",
                    "MinValue": "0.0001",
                    "MaxValue": "0.1",
                    "ScalingType": "Logarithmic",
                }
            ],
            "CategoricalParameterRanges": [{"Name": "use_bias", "Values": ["true", "false"]}],
        },
        "TrainingJobEarlyStoppingType": "Auto",
        "TuningJobCompletionCriteria": {
            "TargetObjectiveMetricValue": 0.1,
            "BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 5},
            "ConvergenceDetected": {"CompleteOnConvergence": "Enabled"},
        },
        "RandomSeed": 4,
    }


def test_an_execution_has_time_for_all_trainings() -> None:
    made = pipeline(
        "KMeans",
        tuning=Tuning(objective="test:msd", max_jobs=20, max_parallel_jobs=2),
        max_runtime=Duration.hours(1),
        capacity_wait=Duration.hours(1),
    )
    assert made.definition["TimeoutSeconds"] == (24 + 10 + 1) * 3600


NEW_STATES = {
    "tuning": {"PrepareTuning", "Tune", "Leaderboard", "BestTraining"},
    "gate": {"Judge", "IsGood", "ReportRejection", "AnnounceRejection"},
    "registration": {"PrepareRegistration", "Register", "AssociateRecordSet"},
}
EXPLAINED = {
    f"{name}AfterTraining"
    for name in ("Explain", "Unexplained", "AnnounceFailure", "Failed", "FailedAnyway", "Redriven")
}


@pytest.mark.parametrize("steps", [(), ("tuning",), ("gate",), ("registration",), tuple(NEW_STATES)])
def test_each_step_adds_its_states_and_no_others(steps: tuple[str, ...]) -> None:
    plain = set(with_props().definition["States"])
    expected = plain.union(*(NEW_STATES[step] for step in steps), EXPLAINED if steps else ())
    if "tuning" in steps:
        expected -= {"Train"}
    states = with_props(*steps).definition["States"]
    assert set(states) == expected
    leaves = {"tuning": "tuned.$", "gate": "verdict.$", "registration": "package.$"}
    without = with_props().definition["States"]["Announce"]["Parameters"]
    told = set(states["Announce"]["Parameters"]) - set(without)
    assert told == {leaves[step] for step in steps}
    if "gate" in steps:
        rejected = {*states["Announce"]["Parameters"]} - {"package.$"}
        assert set(states["AnnounceRejection"]["Parameters"]) == rejected


def test_a_pipeline_without_steps_has_no_function_or_permission_of_theirs() -> None:
    made = with_props()
    handlers = {one["Handler"].split(".")[2] for one in made.of_type("AWS::Lambda::Function").values()}
    assert handlers == {"plan", "encode", "seal", "explain", "announce", "fail", "report", "starter"}
    assert "ModelPackage" not in str(made.template)
    assert "HyperParameterTuning" not in str(made.template)


def test_what_fails_after_training_goes_on_there_when_redriven() -> None:
    states = with_props("tuning", "gate", "registration").definition["States"]
    for name in ("Leaderboard", "BestTraining", "Judge", "PrepareRegistration", "Register"):
        assert [catch["Next"] for catch in states[name]["Catch"]] == ["ExplainAfterTraining"]
    redriven = states["RedrivenAfterTraining"]
    assert redriven["Next"] == "Leaderboard"
    assert set(redriven["Parameters"]) == {"input.$", "plan.$", "request.$", "prepared.$", "tuned.$"}
    assert [catch["Next"] for catch in states["Tune"]["Catch"]] == ["Adopt", "IsCapacity"]
    without = with_props("gate").definition["States"]["RedrivenAfterTraining"]
    assert (without["Next"], set(without["Parameters"])) == (
        "Judge",
        {"input.$", "plan.$", "request.$", "job.$"},
    )


def test_a_lineage_that_cannot_be_written_leads_on_to_the_announcement() -> None:
    states = with_props("registration").definition["States"]
    (catch,) = states["AssociateRecordSet"]["Catch"]
    assert catch == {"ErrorEquals": ["States.ALL"], "Next": "Report", "ResultPath": "$.package.lineage"}
    assert states["AssociateRecordSet"]["ResultPath"] == catch["ResultPath"]
    assert (states["Register"]["Next"], states["AssociateRecordSet"]["Next"]) == (
        "AssociateRecordSet",
        "Report",
    )
    without = with_props(registration=Registration())
    assert without.definition["States"]["Register"]["Next"] == "Report"
    assert "Associate" not in str(without.template)
    assert "artifact/" not in str(without.template)


def test_names_of_tuning_jobs_have_room_for_retries() -> None:
    made = with_props("tuning")
    prefix = tuning_prefix(made)
    assert len(f"{prefix}-{'f' * 10}-9999-999-99") <= 32
    event = made.definition["States"]["PrepareTuning"]["Parameters"]["tuning"]
    assert event["job_name_prefix"] == prefix


def tuning_prefix(made: Synthesised) -> str:
    assert made.pipeline is not None
    return made.pipeline.job_name_prefix.rpartition("-")[2]


def test_the_group_outlives_the_stack_and_is_registered_in() -> None:
    made = with_props("registration")
    assert made.pipeline is not None
    (group,) = (one for one in made.resources.values() if one["Type"] == "AWS::SageMaker::ModelPackageGroup")
    assert group["DeletionPolicy"] == group["UpdateReplacePolicy"] == "Retain"
    name = group["Properties"]["ModelPackageGroupName"]
    assert name == made.pipeline.model_package_group == made.pipeline.job_name_prefix
    request = made.definition["States"]["Register"]["Parameters"]
    assert request["ModelPackageGroupName"] == name
    assert request["ModelApprovalStatus"] == "PendingManualApproval"
    own = with_props(registration=Registration(approval=Approval.AUTOMATIC, model_package_group="Ours"))
    assert not own.of_type("AWS::SageMaker::ModelPackageGroup")
    assert own.definition["States"]["Register"]["Parameters"]["ModelApprovalStatus"] == "Approved"
    assert allowed(own, MACHINE, "sagemaker:CreateModelPackage", arn("model-package/ours/3"))


MACHINE = "DigitsStateMachineRole"
JUDGE, REGISTER, TUNE, ASSOCIATE = (
    f"RecordSetEncoder{step}Role" for step in ("Judge", "Register", "Tune", "Associate")
)
TRAINING = "DigitsTrainingRole"
DATA, MODELS = "arn:aws:s3:::<DigitsDataBucket6C5C068C>", "arn:aws:s3:::<DigitsModelBucketD7347822>"
RECORD_SET = f"{DATA}/recordsets/0123456789abcdef01234567"


def arn(resource: str) -> str:
    return f"arn:aws:sagemaker:eu-west-1:111122223333:{resource}"


@pytest.fixture(scope="module")
def complete() -> Synthesised:
    return with_props("tuning", "gate", "registration")


PERMISSIONS: list[tuple[str, str, str, bool]] = [
    (MACHINE, "sagemaker:CreateHyperParameterTuningJob", "hyper-parameter-tuning-job/{hash}-a-0-0", True),
    (MACHINE, "sagemaker:CreateHyperParameterTuningJob", "hyper-parameter-tuning-job/other", False),
    (MACHINE, "sagemaker:DescribeHyperParameterTuningJob", "hyper-parameter-tuning-job/{hash}-a", True),
    (MACHINE, "sagemaker:StopHyperParameterTuningJob", "hyper-parameter-tuning-job/{hash}-a", True),
    (MACHINE, "sagemaker:AddTags", "hyper-parameter-tuning-job/{hash}-a", True),
    (MACHINE, "sagemaker:DescribeTrainingJob", "training-job/{hash}-a-001-b", True),
    (MACHINE, "sagemaker:DescribeTrainingJob", "training-job/other-1", False),
    (MACHINE, "sagemaker:CreateTrainingJob", "training-job/{hash}-a", False),
    (MACHINE, "sagemaker:CreateModelPackage", "model-package-group/{prefix}", True),
    (MACHINE, "sagemaker:CreateModelPackage", "model-package/{prefix}/7", True),
    (MACHINE, "sagemaker:CreateModelPackage", "model-package/other/7", False),
    (MACHINE, "sagemaker:UpdateModelPackage", "model-package/{prefix}/7", False),
    (TUNE, "sagemaker:DescribeHyperParameterTuningJob", "hyper-parameter-tuning-job/{hash}-a", True),
    (
        TUNE,
        "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
        "hyper-parameter-tuning-job/{hash}-a",
        True,
    ),
    (TUNE, "sagemaker:CreateHyperParameterTuningJob", "hyper-parameter-tuning-job/{hash}-a", False),
    (JUDGE, "sagemaker:ListModelPackages", "model-package-group/{prefix}", True),
    (JUDGE, "sagemaker:DescribeModelPackage", "model-package/{prefix}/7", True),
    (JUDGE, "sagemaker:UpdateModelPackage", "model-package/{prefix}/7", False),
    (ASSOCIATE, "sagemaker:CreateArtifact", "artifact/0123456789abcdef", True),
    (ASSOCIATE, "sagemaker:CreateArtifact", "experiment-trial-component/a", False),
    (ASSOCIATE, "sagemaker:AddAssociation", "artifact/0123456789abcdef", True),
    (ASSOCIATE, "sagemaker:AddAssociation", "experiment-trial-component/a-aws-training-job", True),
    (ASSOCIATE, "sagemaker:AddAssociation", "context/a", False),
    (ASSOCIATE, "sagemaker:DeleteAssociation", "artifact/0123456789abcdef", False),
    (REGISTER, "sagemaker:CreateArtifact", "artifact/0123456789abcdef", False),
    (MACHINE, "sagemaker:AddAssociation", "artifact/0123456789abcdef", False),
]
OBJECTS: list[tuple[str, str, str, bool]] = [
    (TUNE, "s3:PutObject", f"{DATA}/datasets/last_tuned.json", True),
    (TUNE, "s3:GetObject", f"{DATA}/datasets/last_tuned.json", True),
    (TUNE, "s3:PutObject", f"{DATA}/datasets/last_trained.json", False),
    (TUNE, "s3:PutObject", f"{MODELS}/models/abc-1/leaderboard.csv", True),
    (TUNE, "s3:PutObject", f"{MODELS}/models/abc-1/output/model.tar.gz", False),
    (JUDGE, "s3:GetObject", f"{RECORD_SET}/test/record_set.json", True),
    (JUDGE, "s3:GetObject", f"{RECORD_SET}/test/matrix_00000.pbr", True),
    (JUDGE, "s3:GetObject", f"{MODELS}/models/abc/output/model.tar.gz", True),
    (JUDGE, "s3:GetObject", f"{DATA}/datasets/current_model.json", True),
    (JUDGE, "s3:PutObject", f"{DATA}/datasets/current_model.json", False),
    (JUDGE, "s3:GetObject", f"{DATA}/input/train/a.csv", False),
    (REGISTER, "s3:GetObject", f"{RECORD_SET}/train/record_set.json", True),
    (REGISTER, "s3:GetObject", f"{RECORD_SET}/train/matrix_00000.pbr", False),
    (REGISTER, "s3:PutObject", f"{MODELS}/models/abc/metrics.json", True),
    (REGISTER, "s3:PutObject", f"{MODELS}/models/abc/output/model.tar.gz", False),
]


@pytest.mark.parametrize(("role", "action", "resource", "expected"), PERMISSIONS)
def test_permissions(complete: Synthesised, role: str, action: str, resource: str, expected: bool) -> None:
    assert complete.pipeline is not None
    named = resource.format(hash=tuning_prefix(complete), prefix=complete.pipeline.job_name_prefix)
    assert allowed(complete, role, action, arn(named)) is expected


@pytest.mark.parametrize(("role", "action", "resource", "expected"), OBJECTS)
def test_permissions_of_objects(
    complete: Synthesised, role: str, action: str, resource: str, expected: bool
) -> None:
    assert allowed(complete, role, action, resource) is expected


def test_the_rule_and_the_role_of_the_search(complete: Synthesised) -> None:
    rule = "arn:aws:events:eu-west-1:111122223333:rule/StepFunctionsGetEventsForSageMakerTuningJobsRule"
    for action in ("events:PutTargets", "events:PutRule", "events:DescribeRule"):
        assert allowed(complete, MACHINE, action, rule)
    passed = {"iam:PassedToService": "sagemaker.amazonaws.com"}
    (role,) = (name for name in complete.resources if name.startswith(TRAINING) and len(name) == 26)
    assert allowed(complete, MACHINE, "iam:PassRole", f"<{role}.Arn>", passed)


def test_the_training_role_may_log_for_the_trainings_of_the_search(complete: Synthesised) -> None:
    group = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/sagemaker/TrainingJobs:log-stream:"
    stream = f"{group}{tuning_prefix(complete)}-0123456789-0-0-001-abc/algo-1-1"
    assert allowed(complete, TRAINING, "logs:PutLogEvents", stream)
    assert not allowed(with_props(), TRAINING, "logs:PutLogEvents", stream)


def test_two_pipelines_share_the_functions() -> None:
    stack = new_stack(region="eu-west-1")
    for name in ("One", "Two"):
        TrainingPipeline(
            stack,
            name,
            algorithm=algorithm("KMeans"),
            instance_type="ml.m5.large",
            channels=channels("KMeans"),
            gate=Gate(metric="test:msd"),
            triggers=[],
        )
    functions = Synthesised(stack).of_type("AWS::Lambda::Function")
    assert len([one for one in functions.values() if one["Handler"].endswith("judge.handler")]) == 1


def test_a_comparison_that_numpy_cannot_repeat_is_warned_of() -> None:
    def warnings_of(name: str, gate: Gate) -> list[str]:
        return warnings(pipeline(name, gate=gate).stack)

    (warning,) = warnings_of("KNN", Gate(metric="test:accuracy"))
    assert "when the test data change, the next model passes without a comparison" in warning
    assert warnings_of("KMeans", Gate(metric="test:msd")) == []
    assert warnings_of("KNN", Gate(metric="test:accuracy", at_least=0.5, against_current=False)) == []
