"""The local platform: an AWS emulator with IAM enforced, a SageMaker stand-in, and the driver of a rehearsal."""
