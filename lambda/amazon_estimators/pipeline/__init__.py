"""The steps of an execution: plan, encode, seal, explain, announce."""
