"""Programs as people write them for the SageMaker SDK 2, against ``amazon_estimators.sdk``.

Each takes its surroundings (role, bucket, session, data) and asserts what its author would look at. Class and
argument names are the SDK's.
"""

from programs import batch, hosting, predicting, searching, serializing, sessions, training
from programs.surroundings import PROGRAMS, Program, Surroundings

__all__ = [
    "PROGRAMS",
    "Program",
    "Surroundings",
    "batch",
    "hosting",
    "predicting",
    "searching",
    "serializing",
    "sessions",
    "training",
]
