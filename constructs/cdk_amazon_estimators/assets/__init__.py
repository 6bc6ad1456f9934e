"""The code of the Lambda functions: bundle and layer."""
