"""Monitoring of pipelines and endpoints: alarms, and one dashboard for all of them."""

from cdk_amazon_estimators.monitoring.dashboard import MonitoringDashboard
from cdk_amazon_estimators.monitoring.settings import Monitoring

__all__ = ["Monitoring", "MonitoringDashboard"]
