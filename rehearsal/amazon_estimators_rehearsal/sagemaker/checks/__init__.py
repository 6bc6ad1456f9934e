"""Check training jobs as SageMaker and its containers do."""
