"""A monthly budget for everything with a tag."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Annotations, Aws
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_amazon_estimators.props.problems import Problems
from cdk_amazon_estimators.props.prop_types import check_types, known

TOPICS = "https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-sns-policy.html"
API = "https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/"
MOST_EMAILS, MOST_NOTIFICATIONS = 10, 10
"""https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_Notification.html"""
IMPORTED = "cdk-amazon-estimators:budgetTopic"
"""The ID for acknowledging the warning."""


class TagBudget(Construct):
    """Tells when the month's costs of everything with a tag come near a budget, or exceed it.

    AWS knows costs by a tag only from the day on which the tag is activated as a cost allocation tag, in the
    account that pays: docs/cost.md. Until then the budget sees no costs. It stops nothing.

    Args:
        amount: The budget of a month.
        tag_key: The key of the tag, such as ``"team"``. Training jobs have ``"amazon-estimators:pipeline"``.
        tag_value: Its value. The path of the pipeline is that of ``"amazon-estimators:pipeline"``.
        currency: The currency of the amount, which is that of the account's bill. Default: ``"USD"``.
        emails: Addresses to tell, up to 10. Default: none.
        notification_topic: A topic of this account to tell. The key of an encrypted one must allow
            ``budgets.amazonaws.com``. Default: none.
        thresholds: The parts of the budget, in percent, of which to tell when they are spent. Default: 80 and
            100.
        forecast: Tell too when AWS expects the month to exceed the budget. Default: True.

    Attributes:
        budget: The budget.

    Raises:
        PipelineError: Invalid props. One error has all problems, each with the construct's path.

    Example:
        ``TagBudget(self, "Budget", amount=200, tag_key="team", tag_value="ml", emails=["us@example.com"])``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        amount: float,
        tag_key: str,
        tag_value: str,
        currency: str = "USD",
        emails: Sequence[str] = (),
        notification_topic: sns.ITopic | None = None,
        thresholds: Sequence[float] = (80, 100),
        forecast: bool = True,
    ) -> None:
        props = dict(locals())  # while there are no other local variables
        super().__init__(scope, construct_id)
        problems = Problems(self)
        if check_types(problems, TagBudget.__init__, props):
            _check(problems, amount, emails, notification_topic, thresholds, forecast=forecast)
        problems.raise_any()
        subscribers = [
            budgets.CfnBudget.SubscriberProperty(subscription_type="EMAIL", address=address)
            for address in emails
        ]
        if notification_topic is not None:
            self._allow(notification_topic)
            subscribers.append(
                budgets.CfnBudget.SubscriberProperty(
                    subscription_type="SNS", address=notification_topic.topic_arn
                )
            )
        told = [("ACTUAL", threshold) for threshold in thresholds] + [("FORECASTED", 100)] * forecast
        self.budget = budgets.CfnBudget(
            self,
            "Resource",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=amount, unit=currency),
                cost_filters={"TagKeyValue": [f"user:{tag_key}${tag_value}"]},
            ),
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=budgets.CfnBudget.NotificationProperty(
                        notification_type=kind,
                        comparison_operator="GREATER_THAN",
                        threshold=threshold,
                        threshold_type="PERCENTAGE",
                    ),
                    subscribers=subscribers,
                )
                for kind, threshold in told
            ],
        )

    def _allow(self, topic: sns.ITopic) -> None:
        """Let AWS Budgets publish to the topic; warn if its policy is not of this app."""
        statement = iam.PolicyStatement(
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            principals=[iam.ServicePrincipal("budgets.amazonaws.com")],
            conditions={
                "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                "ArnLike": {"aws:SourceArn": f"arn:{Aws.PARTITION}:budgets::{Aws.ACCOUNT_ID}:*"},
            },
        )
        if not topic.add_to_resource_policy(statement).statement_added:
            Annotations.of(self).add_warning_v2(
                IMPORTED,
                f"the policy of {topic.node.path} is not of this app: it must let budgets.amazonaws.com "
                f"publish ({TOPICS}). If it does, acknowledge this warning.",
            )


def _check(
    problems: Problems,
    amount: float,
    emails: Sequence[str],
    topic: sns.ITopic | None,
    thresholds: Sequence[float],
    *,
    forecast: bool,
) -> None:
    """Note settings that AWS Budgets would refuse, and a budget that tells nobody."""
    limit = known("amount", amount)
    problems.unless(limit is None or limit > 0, f"amount is {amount}; allowed: above 0")
    problems.unless(
        bool(emails) or topic is not None,
        "the budget tells nobody; allowed: emails or notification_topic. Give one of them",
    )
    problems.unless(
        len(emails) <= MOST_EMAILS,
        f"emails has {len(emails)} addresses; allowed: up to {MOST_EMAILS}. Send to a topic or a list. "
        f"Source: {API}API_budgets_Notification.html",
    )
    problems.unless(
        all(threshold > 0 for threshold in thresholds),
        f"thresholds is {[*thresholds]}; allowed: percentages above 0",
    )
    count = len(thresholds) + forecast
    problems.unless(
        1 <= count <= MOST_NOTIFICATIONS,
        f"thresholds and forecast make {count} notifications; allowed: 1 to {MOST_NOTIFICATIONS}. "
        f"Source: {API}API_budgets_Notification.html",
    )
    problems.unless(
        len({*thresholds}) == len(thresholds), f"thresholds is {[*thresholds]}; allowed: each once"
    )
