"""What starts executions: one data set version is one execution, on time, never twice, never lost."""
