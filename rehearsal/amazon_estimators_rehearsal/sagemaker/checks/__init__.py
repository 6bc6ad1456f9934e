"""The checks of a training job, as SageMaker and its containers make them."""
