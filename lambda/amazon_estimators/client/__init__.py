"""Run on the user's machine: upload RecordSets, start training jobs and follow them."""
