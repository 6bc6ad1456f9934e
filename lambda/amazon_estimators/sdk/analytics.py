"""The metrics of a training job over time, from CloudWatch: ``sagemaker.analytics``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from amazon_estimators.errors import RequestError
from amazon_estimators.storage.sessions import client_of

NAMESPACE = "/aws/sagemaker/TrainingJobs"
PERIOD_SECONDS = 60


class TrainingJobAnalytics:
    """Reads the metrics that a training job published.

    Args:
        metric_names: The metrics to read. Default: all that the job declares.
        sagemaker_session: A session of the SDK or of boto3. Default: a new one.
    """

    def __init__(
        self, training_job_name: str, metric_names: Sequence[str] | None = None, sagemaker_session: Any = None
    ) -> None:
        self.name = training_job_name
        self._names = metric_names
        self._session = sagemaker_session

    def rows(self) -> list[dict[str, Any]]:
        """Return ``timestamp`` in seconds since the first point, ``metric_name`` and ``value``."""
        job = client_of(self._session, "sagemaker").describe_training_job(TrainingJobName=self.name)
        declared = [
            definition["Name"] for definition in job["AlgorithmSpecification"].get("MetricDefinitions", ())
        ]
        final = [metric["MetricName"] for metric in job.get("FinalMetricDataList", ())]
        names = self._names if self._names is not None else dict.fromkeys([*declared, *final])
        start = job.get("TrainingStartTime", job["CreationTime"])
        end = job.get("TrainingEndTime", datetime.now(UTC))
        return [row for name in names for row in self._metric(name, start, end)]

    def _metric(self, name: str, start: datetime, end: datetime) -> Iterator[dict[str, Any]]:
        answer = client_of(self._session, "cloudwatch").get_metric_statistics(
            Namespace=NAMESPACE,
            MetricName=name,
            Dimensions=[{"Name": "TrainingJobName", "Value": self.name}],
            StartTime=start,
            EndTime=end + timedelta(seconds=PERIOD_SECONDS),
            Period=PERIOD_SECONDS,
            Statistics=["Average"],
        )
        points = sorted(answer["Datapoints"], key=lambda point: point["Timestamp"])
        for point in points:
            seconds = (point["Timestamp"] - points[0]["Timestamp"]).total_seconds()
            yield {"timestamp": seconds, "metric_name": name, "value": point["Average"]}

    def dataframe(self) -> Any:
        """Return :meth:`rows` as a pandas DataFrame."""
        try:
            import pandas as pd  # noqa: PLC0415
        except ImportError:
            raise RequestError("a data frame needs pandas", remedy="Install pandas, or use rows().") from None
        return pd.DataFrame(self.rows(), columns=["timestamp", "metric_name", "value"])
