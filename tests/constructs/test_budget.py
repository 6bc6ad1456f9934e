"""A budget by tag: what it counts, whom it tells, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import aws_sns as sns
from pipeline_stacks import PSEUDO, Synthesised, new_stack

from cdk_amazon_estimators import PipelineError, TagBudget
from cdk_amazon_estimators.budget import IMPORTED

REQUIRED: dict[str, Any] = {"amount": 200, "tag_key": "team", "tag_value": "forecast"}
MAIL = ["us@example.com"]
TOPIC = "arn:aws:sns:eu-west-1:111122223333:mine"


def resources(**props: Any) -> Synthesised:
    stack = new_stack(region="eu-west-1")
    topic = props.pop("topic", None)
    if topic is not None:
        props["notification_topic"] = topic(stack)
    TagBudget(stack, "Budget", **{**REQUIRED, **props})
    return Synthesised(stack)


def test_a_budget_counts_the_month_of_a_tag_and_tells_by_mail() -> None:
    (budget,) = resources(emails=MAIL).of_type("AWS::Budgets::Budget").values()
    assert budget["Budget"] == {
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": 200, "Unit": "USD"},
        "CostFilters": {"TagKeyValue": ["user:team$forecast"]},
    }
    told = [
        (one["Notification"]["NotificationType"], one["Notification"]["Threshold"])
        for one in budget["NotificationsWithSubscribers"]
    ]
    assert told == [("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100)]
    for one in budget["NotificationsWithSubscribers"]:
        assert one["Notification"]["ComparisonOperator"] == "GREATER_THAN"
        assert one["Notification"]["ThresholdType"] == "PERCENTAGE"
        assert one["Subscribers"] == [{"SubscriptionType": "EMAIL", "Address": "us@example.com"}]


def test_a_topic_of_the_app_lets_budgets_of_this_account_publish() -> None:
    made = resources(topic=lambda stack: sns.Topic(stack, "Topic"), thresholds=[50], forecast=False)
    (topic,) = made.of_type("AWS::SNS::Topic")
    (budget,) = made.of_type("AWS::Budgets::Budget").values()
    (told,) = budget["NotificationsWithSubscribers"]
    assert told["Subscribers"] == [{"SubscriptionType": "SNS", "Address": f"<{topic}>"}]
    (policy,) = made.of_type("AWS::SNS::TopicPolicy").values()
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "budgets.amazonaws.com"}
    assert (statement["Action"], statement["Resource"]) == ("sns:Publish", f"<{topic}>")
    account = PSEUDO["AWS::AccountId"]
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": account},
        "ArnLike": {"aws:SourceArn": f"arn:aws:budgets::{account}:*"},
    }


def test_an_imported_topic_is_warned_of() -> None:
    stack = new_stack(region="eu-west-1")
    topic = sns.Topic.from_topic_arn(stack, "Topic", TOPIC)
    budget = TagBudget(stack, "Budget", **REQUIRED, notification_topic=topic)
    (warning,) = (str(one.data) for one in budget.node.metadata if one.type == "aws:cdk:warning")
    assert "must let budgets.amazonaws.com publish" in warning and IMPORTED in warning


@pytest.mark.parametrize(
    ("props", "text"),
    [
        ({"emails": ()}, "the budget tells nobody"),
        ({"amount": 0}, "amount is 0; allowed: above 0"),
        ({"amount": "200"}, "amount is '200'; allowed: a number"),
        ({"emails": [f"{number}@example.com" for number in range(11)]}, "emails has 11 addresses"),
        ({"emails": "us@example.com"}, "allowed: a list of addresses"),
        ({"thresholds": [0]}, "allowed: percentages above 0"),
        ({"thresholds": [80, 80]}, "allowed: each once"),
        ({"thresholds": range(1, 11)}, "thresholds is a range"),
        ({"thresholds": [*range(1, 11)]}, "make 11 notifications; allowed: 1 to 10"),
        ({"thresholds": [], "forecast": False}, "make 0 notifications"),
        ({"tag_key": None}, "tag_key is None"),
    ],
)
def test_what_aws_refuses_is_refused(props: dict[str, Any], text: str) -> None:
    with pytest.raises(PipelineError) as refused:
        TagBudget(new_stack(), "Budget", **{**REQUIRED, "emails": MAIL, **props})
    assert text in str(refused.value)
    assert "Stack/Budget: " in str(refused.value)
