"""Endpoints that follow a pipeline's model in use."""

from cdk_amazon_estimators.endpoints.drift_monitor import DriftMonitor as DriftMonitor
from cdk_amazon_estimators.endpoints.model_endpoint import ModelEndpoint as ModelEndpoint
from cdk_amazon_estimators.endpoints.scaling import Scaling as Scaling
from cdk_amazon_estimators.endpoints.serving import DataCapture as DataCapture
from cdk_amazon_estimators.endpoints.serving import Serverless as Serverless
from cdk_amazon_estimators.endpoints.traffic import AllAtOnce as AllAtOnce
from cdk_amazon_estimators.endpoints.traffic import Canary as Canary
from cdk_amazon_estimators.endpoints.traffic import Linear as Linear
