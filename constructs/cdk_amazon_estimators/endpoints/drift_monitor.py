"""Watches an endpoint for drift: an alarm when it is asked about other data than it was trained on."""

from __future__ import annotations

from aws_cdk import Duration, Size, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from amazon_estimators.pipeline import keys
from amazon_estimators.pipeline.metrics import NAMESPACE
from amazon_estimators.record_sets.keys import profile_key
from amazon_estimators.serving.drift import DRIFTED, ENDPOINT, LARGEST, REQUESTS
from amazon_estimators.serving.sample import CHANNEL
from cdk_amazon_estimators.access.s3_access import S3Access
from cdk_amazon_estimators.compliance import acknowledge_findings
from cdk_amazon_estimators.encoder import RecordSetEncoder
from cdk_amazon_estimators.endpoints.functions import Arns, allow, grant_model_in_use
from cdk_amazon_estimators.endpoints.model_endpoint import ModelEndpoint
from cdk_amazon_estimators.props.problems import Problems
from cdk_amazon_estimators.props.prop_types import check_types, known, known_seconds

HOUR = 3_600


class DriftMonitor(Construct):
    """Compares what an endpoint is asked with its model's training data, and alarms when features move.

    Args:
        endpoint: A ModelEndpoint with ``data_capture``, of an algorithm whose rows are vectors.
        interval: How often to compare, and how far to look back: whole hours, 1 to 24. Default: 1 hour.
        threshold: The number of features that must have moved for the alarm to go off. Default: 1.

    Attributes:
        alarm: The alarm; ``AlarmTrigger(monitor.alarm)`` trains when it goes off.

    Raises:
        PipelineError: Props that watch nothing.

    Example:
        ``pipeline.starter.add("Drift", AlarmTrigger(DriftMonitor(self, "Drift", endpoint=online).alarm))``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint: ModelEndpoint,
        interval: Duration | None = None,
        threshold: int = 1,
    ) -> None:
        props = dict(locals())  # as long as there are no other local variables
        super().__init__(scope, construct_id)
        self._check(props)
        self._endpoint = endpoint
        interval = interval or Duration.hours(1)
        self._schedule(interval)
        self.alarm = self.metric_drifted_features(period=interval).create_alarm(
            self,
            "Alarm",
            alarm_description=f"What {endpoint.endpoint_name} is asked about moved. docs/endpoints.md",
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        if endpoint.watch is not None:
            endpoint.watch.drift(
                self.alarm,
                features=self.metric_drifted_features(period=interval),
                largest=self.metric_largest_drift(period=interval),
                requests=self.metric_requests_compared(period=interval),
            )
        acknowledge_findings(self)

    def metric_drifted_features(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """Return the number of features that moved, as a maximum. ``period`` is 5 minutes by default."""
        return self._metric(DRIFTED, "Maximum", period)

    def metric_largest_drift(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """Return the largest population stability index of a feature, as a maximum."""
        return self._metric(LARGEST, "Maximum", period)

    def metric_requests_compared(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """Return the number of captured requests that were compared, as a sum."""
        return self._metric(REQUESTS, "Sum", period)

    def _metric(self, name: str, statistic: str, period: Duration | None) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=name,
            statistic=statistic,
            period=period,
            dimensions_map={ENDPOINT: self._endpoint.endpoint_name},
        )

    def _check(self, props: dict[str, object]) -> None:
        problems = Problems(self)
        check_types(problems, DriftMonitor.__init__, props)
        endpoint = props["endpoint"]
        problems.unless(
            isinstance(endpoint, ModelEndpoint),
            f"endpoint is a {type(endpoint).__name__}; allowed: a ModelEndpoint of this app",
        )
        if isinstance(endpoint, ModelEndpoint):
            problems.unless(
                "DataCaptureConfig" in endpoint.settings["config"],
                "endpoint captures no requests; allowed: one with data_capture=DataCapture()",
            )
            kind = type(endpoint.pipeline.algorithm)
            problems.unless(
                kind.inference.rows == "vector",
                f"endpoint serves {kind.__name__}, whose records are no vectors of features and have no "
                "profile; allowed: the other algorithms. Source: docs/profile.md",
            )
        seconds = known_seconds("interval", props["interval"])  # type: ignore[arg-type]
        problems.unless(
            seconds is None or (HOUR <= seconds <= 24 * HOUR and seconds % HOUR == 0),
            f"interval is {seconds and round(seconds)} seconds; allowed: whole hours, 1 to 24",
        )
        threshold = known("threshold", props["threshold"])
        problems.unless(
            not isinstance(threshold, int) or threshold >= 1, f"threshold is {threshold}; allowed: 1 or more"
        )
        problems.raise_any()

    def _schedule(self, interval: Duration) -> None:
        """Run the function at each interval, on the requests since the last one."""
        pipeline = self._endpoint.pipeline
        same_stack = Stack.of(pipeline) is Stack.of(self)
        encoder = pipeline.encoder if same_stack else RecordSetEncoder.of(self)
        function = encoder.step(
            "Drift",
            "Compare what an endpoint is asked with its training data",
            timeout=Duration.minutes(15),
            memory=Size.mebibytes(1769),
        )
        grant_model_in_use(self, function, pipeline)
        arns = Arns(self, self._endpoint.endpoint_name)
        allow(function, arns.training_jobs(pipeline), "sagemaker:DescribeTrainingJob")
        layout = pipeline.layout
        profile = profile_key(keys.channel_root(layout.record_set(keys.ANY), CHANNEL))
        S3Access(function, layout.data_bucket, layout.encryption_key).read([profile])
        captures = S3Access(function, layout.model_bucket, self._endpoint.capture_key)
        captures.list([layout.captures])
        captures.read([f"{layout.captures}{keys.ANY}"])
        hours = round(interval.to_seconds() / HOUR)
        event = {"pipeline": self.node.path, "endpoint": self._endpoint.settings, "hours": hours}
        events.Rule(
            self,
            "Rule",
            description="Compares what an endpoint is asked with its training data",
            schedule=events.Schedule.rate(interval),
            targets=[
                targets.LambdaFunction(
                    function,
                    event=events.RuleTargetInput.from_object(event),
                    dead_letter_queue=self._endpoint.undelivered,
                )
            ],
        )
