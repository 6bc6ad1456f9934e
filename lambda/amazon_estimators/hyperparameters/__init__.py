"""The hyperparameter descriptor and its value types."""
