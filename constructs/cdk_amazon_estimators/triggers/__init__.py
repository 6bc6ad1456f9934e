"""Define triggers: uploads, the clock, alarms. Each is a value that a TrainingStarter listens to."""

from cdk_amazon_estimators.triggers.alarm import AlarmTrigger
from cdk_amazon_estimators.triggers.schedule import ScheduleTrigger
from cdk_amazon_estimators.triggers.starter import TrainingStarter
from cdk_amazon_estimators.triggers.trigger import Trigger
from cdk_amazon_estimators.triggers.upload import UploadTrigger

__all__ = ["AlarmTrigger", "ScheduleTrigger", "TrainingStarter", "Trigger", "UploadTrigger"]
