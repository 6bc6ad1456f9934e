"""Start executions: one per data set version, on time, never twice, never lost."""
