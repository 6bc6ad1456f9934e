"""Keep an endpoint on a pipeline's model in use: deploy it, ask it, go back if it fails, and tell."""
