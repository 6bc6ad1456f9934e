"""From a model to an answer: requests, responses, and models that predict without SageMaker."""

from amazon_estimators.inference.load import ModelWarning, load_model
from amazon_estimators.inference.models import LocalModel
from amazon_estimators.inference.requests import InferenceRequest, InferenceWarning, write_request
from amazon_estimators.inference.responses import Predictions, accept_for, read_response

__all__ = [
    "InferenceRequest",
    "InferenceWarning",
    "LocalModel",
    "ModelWarning",
    "Predictions",
    "accept_for",
    "load_model",
    "read_response",
    "write_request",
]
