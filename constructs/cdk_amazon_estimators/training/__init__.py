"""The training job: request, role, image, network, instance types."""
