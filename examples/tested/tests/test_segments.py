"""What the team that owns the stack wants to know before it deploys."""

import random
import re

import pytest
from aws_cdk import App
from segments import CustomerSegments

from amazon_estimators_rehearsal.testing import ON_THIS_MACHINE, RehearsedStack

CENTRES = {"small": (1, 20), "large": (40, 300), "loyal": (200, 90)}


@pytest.fixture(scope="module")
def segments(rehearsed) -> RehearsedStack:
    return rehearsed(CustomerSegments(App(context=ON_THIS_MACHINE), "CustomerSegments"))


@pytest.fixture
def customers(tmp_path):
    """A table of three kinds of customers, 40 of each."""
    chance = random.Random(7)
    rows = [
        f"{kind}-{number},{orders + chance.random():.3f},{spent + chance.random():.3f}"
        for number in range(40)
        for kind, (orders, spent) in CENTRES.items()
    ]
    path = tmp_path / "customers.csv"
    path.write_text("\n".join(["customer,orders,spent", *rows]))
    return path


def test_it_finds_the_three_kinds(segments, customers):
    trained = segments.assert_trains(data=customers)
    assert trained["hyperparameters"] == {"k": "3", "feature_dim": "2"}
    assert trained["metrics"]["train:msd"] < 1


def test_a_customer_without_orders_is_named(segments, customers):
    customers.write_text(re.sub("small-0,[^,]+", "small-0,", customers.read_text(), count=1))
    training = segments.train(data=customers)
    assert training.told == "Training Failed"
    assert training.detail["error"] == "InputError"
    assert "customers.csv, row 0, column" in training.detail["cause"]


def test_training_reads_what_was_encoded_and_not_the_customers(segments):
    pipeline = segments.stack.segments
    bucket = f"arn:aws:s3:::{segments.physical_id(pipeline.data_bucket)}"
    training = segments.permissions_of(pipeline.training_role)
    assert training.allow("s3:GetObject", f"{bucket}/recordsets/0123/train/matrix_00000.pbr")
    assert training.allow("s3:ListBucket", bucket, s3_prefix="recordsets/")
    assert not training.allow("s3:ListBucket", bucket, s3_prefix="input/")
    assert not training.allow("s3:GetObject", f"{bucket}/input/train/customers.csv")
    assert not training.allow("s3:DeleteObject", f"{bucket}/recordsets/0123/train/matrix_00000.pbr")
