"""The classic constructor: old names, defaults, exact values, attributes set, read and deleted later."""

from __future__ import annotations

import logging
import warnings
from typing import Any

import pytest
from recorded_calls import ROLE, Calls, recorded_calls

from amazon_estimators import sdk
from amazon_estimators.errors import HyperparameterError, InstanceError, RequestError
from amazon_estimators.hyperparameters.hyperparameter import HyperparameterWarning
from amazon_estimators.sdk.keywords import OFF


def kmeans(**more: Any) -> sdk.KMeans:
    return sdk.KMeans(ROLE, 1, "ml.m5.large", **{"k": 3, **more})


OLD_NAMES = {
    "train_instance_count": ("instance_count", 2),
    "train_instance_type": ("instance_type", "ml.c5.xlarge"),
    "train_volume_size": ("volume_size", 50),
    "train_volume_kms_key": ("volume_kms_key", "alias/v"),
    "train_max_run": ("max_run", 600),
    "train_max_wait": ("max_wait", 90_000),
    "train_use_spot_instances": ("use_spot_instances", True),
    "image_name": ("image_uri", "1.dkr.ecr.us-east-1.amazonaws.com/mine:2"),
}


@pytest.mark.parametrize("old", OLD_NAMES)
def test_a_name_of_sdk_1_is_taken_with_its_warning(old: str) -> None:
    new, value = OLD_NAMES[old]
    given: dict[str, Any] = {"instance_count": 1, "instance_type": "ml.m5.large", "use_spot_instances": True}
    given = {name: one for name, one in given.items() if name != new} | {old: value}
    with pytest.warns(DeprecationWarning, match=rf"{old} has been renamed in sagemaker>=2") as caught:
        estimator = sdk.KMeans(role=ROLE, k=3, **given)
    assert caught[0].filename == __file__
    assert getattr(estimator, new) == value
    with pytest.warns(DeprecationWarning, match=old):
        assert getattr(estimator, old) == value
    with pytest.raises(RequestError, match=f"{old} is the old name of {new}"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sdk.KMeans(role=ROLE, k=3, **{**given, new: value})


def test_an_old_name_set_later_is_sent() -> None:
    with recorded_calls() as calls:
        estimator = kmeans(session=calls.session, output_path="s3://models/")
        with pytest.warns(DeprecationWarning):
            estimator.train_volume_size = 77
        estimator.max_run = 60
        estimator.instance_type = "ml.c5.xlarge"
        estimator.fit(sdk.RecordSet("s3://b/m", 100, 4), wait=False)
    assert calls.request["ResourceConfig"]["VolumeSizeInGB"] == 77
    assert calls.request["ResourceConfig"]["InstanceType"] == "ml.c5.xlarge"
    assert calls.request["StoppingCondition"]["MaxRuntimeInSeconds"] == 60


def test_every_keyword_passes_at_its_own_default() -> None:
    estimator = kmeans(**{name: values[0] for name, values in OFF.items()}, tags=None, hyperparameters={})
    for name, values in OFF.items():
        assert getattr(estimator, name) == values[0]
    assert estimator.container_log_level == logging.INFO


@pytest.mark.parametrize("name", ["rules", "profiler_config", "source_dir", "training_plan"])
def test_what_is_not_done_is_refused(name: str) -> None:
    with pytest.raises(RequestError, match=f"{name}='asked for' .leave it out"):
        kmeans(**{name: "asked for"})
    with pytest.raises(RequestError, match=f"{name} is 'asked for'"):
        setattr(kmeans(), name, "asked for")


@pytest.mark.parametrize(
    ("make", "given", "kind"),
    [
        (sdk.KMeans, {"k": [3]}, HyperparameterError),
        (sdk.KMeans, {"k": 3, "eval_metrics": 0}, HyperparameterError),
        (sdk.KMeans, {"k": 3, "kk": 1}, RequestError),
        (sdk.NTM, {"num_topics": 3, "encoder_layers": 0}, HyperparameterError),
    ],
)
def test_type_errors_are_type_errors(make: Any, given: dict[str, Any], kind: type[Exception]) -> None:
    with pytest.raises(TypeError) as caught:
        make(role=ROLE, instance_count=1, instance_type="ml.m5.large", **given)
    assert isinstance(caught.value, kind) and isinstance(caught.value, ValueError)


def test_exact_values_lists_and_unset_ones() -> None:
    estimator = kmeans(k=3.0, eval_metrics=["ssd", "msd"])
    assert (estimator.k, estimator.eval_metrics) == (3, ["msd", "ssd"])
    assert estimator.epochs is None  # the SDK's constructor sets it to None
    for name in ("feature_dim", "mini_batch_size", "_kvstore"):
        with pytest.raises(AttributeError, match=name):
            getattr(estimator, name)
    estimator.epochs = 2
    del estimator.epochs
    with pytest.raises(AttributeError, match="epochs"):
        _ = estimator.epochs
    with pytest.raises(AttributeError, match="epochs"):
        del estimator.epochs
    estimator.epochs = 4
    assert estimator.hyperparameters()["epochs"] == "4"
    del estimator.k
    with pytest.raises(HyperparameterError, match="k is required"), recorded_calls() as calls:
        estimator.session = calls.session
        estimator.training_request(sdk.RecordSet("s3://b/m", 100, 4))


def test_a_misspelt_attribute_warns_and_others_do_not() -> None:
    estimator = kmeans()
    with pytest.warns(UserWarning, match=r"no attribute 'volume_sizes'.*did you mean 'volume_size'"):
        estimator.volume_sizes = 5
    with pytest.warns(UserWarning, match="did you mean 'mini_batch_size'"):
        estimator.minibatch_size = 5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimator.experiment = "mine"
        estimator._private = 1
        estimator.init_method = "random"
        kmeans(subnets=["subnet-1"], security_group_ids=["sg-1"], data_location="s3://b/")
    assert estimator.experiment == "mine"


def test_network_and_session_methods() -> None:
    estimator = kmeans(
        subnets=["subnet-1"], security_group_ids=["sg-1"], enable_network_isolation=True, image_uri="image:1"
    )
    assert estimator.enable_network_isolation() is True
    assert estimator.get_vpc_config() == {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    assert estimator.get_vpc_config(None) is None and kmeans().get_vpc_config() is None
    assert estimator.get_vpc_config("VPC_CONFIG_DEFAULT") == estimator.get_vpc_config()  # the SDK's constant
    assert estimator.train_image() == estimator.training_image_uri() == "image:1"
    assert (estimator.jobs, estimator.latest_training_job, estimator._current_job_name) == ([], None, None)
    with pytest.raises(RequestError, match="not associated with a training job"):
        _ = estimator.training_job_analytics


class Mine(sdk.AmazonAlgorithmEstimatorBase):
    """A program's own class."""

    repo_name = "kmeans"
    k = sdk.Hyperparameter("k", lambda value: value > 1, "an integer above 1", int)
    flavours = sdk.Hyperparameter("flavours", data_type=list)

    def __init__(self, role: str, instance_count: int, instance_type: str, k: int, **more: Any) -> None:
        super().__init__(role, instance_count, instance_type, **more)
        self.k = k


def test_a_subclass_with_repo_name_trains_with_its_own_hyperparameters() -> None:
    with recorded_calls() as calls:
        mine = Mine(ROLE, 2, "ml.m5.large", 7, data_location="s3://b/", sagemaker_session=calls.session)
        mine.flavours = ["a", "b"]
        mine.fit(mine.record_set([[1.0, 2.0], [3.0, 4.0]], progress=False), 5, wait=False)
    request = calls.request
    assert request["AlgorithmSpecification"]["TrainingImage"] == sdk.get_image_uri("us-east-1", "kmeans")
    assert request["HyperParameters"] == {
        "k": "7",
        "flavours": '["a", "b"]',
        "feature_dim": "2",
        "mini_batch_size": "5",
    }
    with pytest.raises(ValueError, match="Expecting: an integer above 1"):
        mine.k = 1
    with pytest.raises(InstanceError):
        Mine(ROLE, 0, "ml.m5.large", 7)
    with pytest.raises(RequestError, match="no repo_name"):
        sdk.AmazonAlgorithmEstimatorBase(ROLE, 1, "ml.m5.large")


def test_templates_of_a_workflow_pass() -> None:
    with recorded_calls() as calls:
        pca = sdk.PCA(
            "{{ role }}",
            "{{ count }}",
            "ml.m5.large",
            2,
            base_job_name="{{ name }}",
            max_run="{{ seconds }}",
            output_path="{{ output }}",
            session=calls.session,
        )
        pca.prepare_workflow_for_training(sdk.RecordSet("{{ records }}", 1000, 30))
    assert (pca.feature_dim, pca.mini_batch_size) == (30, 500)
    assert pca._current_job_name.startswith("{{ name }}-")
    assert pca.model_data.startswith("{{ output }}/{{ name }}-")


def calls_of(records: Any, make: Any = kmeans, **more: Any) -> Calls:
    with recorded_calls() as calls:
        make(session=calls.session, output_path="s3://m/", **more).fit(records, wait=False)
    return calls


def test_a_dimension_set_before_is_replaced_by_that_of_the_data() -> None:
    with pytest.warns(HyperparameterWarning, match="set to 4, that of the data, instead of 5"):
        assert (
            calls_of(sdk.RecordSet("s3://b/m", 9000, 4), feature_dim=5).request["HyperParameters"][
                "feature_dim"
            ]
            == "4"
        )
