"""RecordSets: their facts, the names of their files, their manifest."""
