"""The local platform: an AWS emulator with IAM enforced, a SageMaker stand-in, the driver of a rehearsal."""
