"""Scoring: rows of a prefix in, predictions out, by the model that a training pipeline has in use."""
