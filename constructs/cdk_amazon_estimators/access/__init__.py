"""IAM: S3 access and service roles."""
