"""Define the gate: a trained model is used only if it is good enough, and better than the model in use."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, field

from aws_cdk import Duration, Size
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.algorithms.gate_rules import gate_findings
from amazon_estimators.algorithms.rules import Caution
from amazon_estimators.pipeline import keys
from amazon_estimators.pipeline.judge import Bar
from amazon_estimators.record_sets.keys import record_set_key, shard_patterns
from cdk_amazon_estimators.access.registry import registry_statements
from cdk_amazon_estimators.access.s3_access import S3Access
from cdk_amazon_estimators.after_training.step import Bound, Context, note_findings, warn
from cdk_amazon_estimators.function_task import EXECUTION, invoke, invoke_statement
from cdk_amazon_estimators.props.problems import Problems
from cdk_amazon_estimators.props.prop_types import check_types


@dataclass(frozen=True, kw_only=True)
class Gate:
    """Lets a model pass if its metric is good enough.

    A model that does not pass is not a failure: the execution succeeds, ``Model Rejected`` is put on the
    event bus with both figures, and the model in use stays.

    The model in use is the newest approved one of the model package group; without ``registration``, it is
    the last one that passed. Both are compared on the same test data. If these have changed since the model
    in use was judged, both are measured again with NumPy; if that is impossible, the new model passes without
    a comparison, and the verdict says why.

    Args:
        metric: A metric that the training reports, such as ``"test:binary_f_beta"``. The pipeline needs its
            channel.
        at_least: The lowest value that passes. Default: any.
        at_most: The highest value that passes. Default: any.
        against_current: Require that it is better than the model in use. Default: True.
        margin: How much worse than the model in use it may be, in the metric's unit. Default: 0, it must be
            better.

    Example:
        ``Gate("test:binary_f_beta", at_least=0.8)``
    """

    metric: str = field(kw_only=False)
    at_least: float | None = None
    at_most: float | None = None
    against_current: bool = True
    margin: float = 0.0

    leaves = "verdict"

    def check(self, problems: Problems, algorithm: Algorithm, channels: Collection[str]) -> None:
        """Note a gate that could not judge a model of these trainings."""
        if not check_types(problems, Gate.__init__, vars(self), of="Gate."):
            return
        findings = gate_findings(algorithm, channels=channels, **asdict(self))
        note_findings(problems, "gate", [*findings])

    def bind(self, context: Context, *, then: sfn.State, reject: Callable[[], sfn.State]) -> Bound:
        """Create Judge and the choice after it."""
        from amazon_estimators.inference.measure import can_measure  # noqa: PLC0415 (it loads NumPy)

        kind = type(context.algorithm)
        if self.against_current and not can_measure(kind, self.metric):
            caution = (
                f"{self.metric} of a {kind.__name__} model is computed by its container only: when the test "
                "data change, the next model passes without a comparison."
            )
            warn(context.scope, "gate", [Caution(caution)])
        declared = {metric.name: metric for metric in kind.metrics}
        bar = Bar(
            **asdict(self), direction=declared[self.metric].direction, group=context.model_package_group
        )
        function = context.encoder.step(
            "Judge", "Judge a trained model", timeout=Duration.minutes(15), memory=Size.mebibytes(3008)
        )
        _grant(function, context)
        task = invoke(
            context.scope,
            "Judge",
            function,
            event={
                "pipeline": context.settings,
                "gate": asdict(bar),
                "plan.$": "$.plan",
                "job.$": "$.job",
                "execution": EXECUTION,
            },
            result_path="$.verdict",
        )
        is_good = (
            sfn.Choice(context.scope, "IsGood", comment="Is the model good enough to be used?")
            .when(sfn.Condition.boolean_equals("$.verdict.good", True), then)
            .otherwise(reject())
        )
        task.next(is_good)
        return Bound(first=task, tasks=[task], statements=[invoke_statement(function)])


def _grant(function: lambda_.Function, context: Context) -> None:
    """Allow reading test data, models and the record of the model in use, or the registry."""
    layout = context.layout
    channel = keys.channel_root(layout.record_set(keys.ANY), keys.ANY)
    data = S3Access(function, layout.data_bucket, layout.encryption_key)
    data.list([layout.datasets])
    data.read(
        [record_set_key(channel), *shard_patterns(channel), keys.current_model_key(layout.prefix)],
    )
    models = S3Access(function, layout.model_bucket, layout.encryption_key)
    models.list([layout.models])
    models.read([f"{layout.models}*"])
    if context.model_package_group is None:
        return
    for statement in registry_statements(context.scope, context.model_package_group):
        function.add_to_role_policy(statement)
