"""An instance type that SageMaker does not train on is refused before anything is uploaded for it."""

from __future__ import annotations

import pytest
from recorded_calls import ROLE, recorded_calls

from amazon_estimators import LDA, Estimator, KMeans, RecordSet
from amazon_estimators.client.known_instances import check_training_type
from amazon_estimators.errors import InstanceError

ROWS = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]


@pytest.mark.parametrize(
    ("instance_type", "hint"),
    [("ml.m5.larg", "did you mean 'ml.m5.large'"), ("ml.zz9.plural", "as a training instance\n")],
)
def test_nothing_is_sent_for_an_unknown_type(instance_type: str, hint: str) -> None:
    with recorded_calls() as calls:
        estimator = Estimator(
            KMeans(k=2),
            role=ROLE,
            instance_count=1,
            instance_type=instance_type,
            data_location="s3://bucket/data/",
            session=calls.session,
        )
        with pytest.raises(InstanceError, match=f"instance_type is '{instance_type}'") as error:
            estimator.record_set(ROWS, progress=False)
        assert hint in str(error.value) and "upgrade boto3" in str(error.value)
        with pytest.raises(InstanceError):
            estimator.fit(RecordSet("s3://bucket/data/.amazon.manifest", 3, 2), wait=False)
        assert calls.made == []
        estimator.instance_type = "ml.m5.large"
        estimator.record_set(ROWS, progress=False)
        assert calls.of("PutObject")


def test_a_type_that_a_workflow_fills_in_is_left_to_it() -> None:
    with recorded_calls() as calls:
        check_training_type("{{ instance_type }}", session=calls.session)


def test_an_accelerator_is_refused_before_that() -> None:
    with pytest.raises(InstanceError, match="CPU only"):
        Estimator(LDA(num_topics=2), role=ROLE, instance_count=1, instance_type="ml.p3.2xlarge")
