"""Amazon's first-party SageMaker algorithms: their RecordSets, hyperparameters and training jobs."""
