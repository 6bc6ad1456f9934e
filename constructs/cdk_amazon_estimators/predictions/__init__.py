"""Predictions: a prefix of data in, predictions by the model in use out."""

from cdk_amazon_estimators.predictions.pipeline import PredictionPipeline as PredictionPipeline
