"""Examine an account before a pipeline runs: quotas, storage, roles, functions, network."""
