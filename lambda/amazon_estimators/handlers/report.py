"""Write the page about a training."""

from __future__ import annotations

from typing import Any

from amazon_estimators.logs import logged
from amazon_estimators.reports.training_report import write_report
from amazon_estimators.storage import s3


@logged("Report")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return write_report(s3.client(), event)
