"""IAM: permissions and service roles."""
