"""The source and the detail types of the events that a pipeline and its endpoint put on the bus."""

from __future__ import annotations

SOURCE = "amazon-estimators"
TRAINED = "Model Trained"
REJECTED = "Model Rejected"
FAILED = "Training Failed"
SKIPPED = "Training Skipped"
WAITING = "Training Waiting"
PREDICTED = "Predictions Ready"
NOT_PREDICTED = "Predictions Failed"
PREDICTIONS_SKIPPED = "Predictions Skipped"
PREDICTIONS_WAITING = "Predictions Waiting"
RECOVERED = "Starter Recovered"
UPDATED = "Endpoint Updated"
ROLLED_BACK = "Endpoint Rolled Back"
ENDPOINT_FAILED = "Endpoint Failed"

LINEAGE_SOURCE = "amazon-estimators.lineage"
LINEAGE = "OpenLineage Run Event"
"""The source and detail type of lineage. Rules for the source of all other events do not match them."""

TRAINING_ENDS = (TRAINED, REJECTED, FAILED)
"""By these an execution of a training pipeline tells that it is about to end."""
PREDICTION_ENDS = (PREDICTED, NOT_PREDICTED)
"""The same of a prediction pipeline."""
OF_PREDICTIONS = {FAILED: NOT_PREDICTED, SKIPPED: PREDICTIONS_SKIPPED}
"""What the starter of a prediction pipeline tells, by what that of a training pipeline would."""
