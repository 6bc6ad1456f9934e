"""The steps after training: search hyperparameters, judge the model, register it."""

from cdk_amazon_estimators.after_training.gate import Gate as Gate
from cdk_amazon_estimators.after_training.registration import Approval as Approval
from cdk_amazon_estimators.after_training.registration import Registration as Registration
from cdk_amazon_estimators.after_training.tuning import Tuning as Tuning
