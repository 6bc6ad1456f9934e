"""Find the remedy for a failure by its text, if the error itself has none.

A key is a phrase of the service's text or the error's name. The first that matches wins, so the more specific
come first. A new cause is a line here and its real text in the tests.
"""

from __future__ import annotations

from amazon_estimators.errors import FunctionError

DISK_FULL = "Raise volume_size: it must hold an instance's data, the model and temporary files."
NO_S3 = (
    "The instances do not reach S3: give the VPC a gateway endpoint for S3 that the security groups reach."
)

REMEDIES = {
    # a training job's own reason
    "CapacityError": "SageMaker had no instance of this type. Redrive the execution later, raise "
    "capacity_wait, or train on another instance_type.",
    "MaxRuntimeExceeded": "Raise max_runtime, or train on more or larger instances.",
    "MaxWaitTimeExceeded": "No spot capacity came in time: raise spot_max_wait, or leave it out to train on "
    "on-demand instances.",
    "Insufficient disk space": DISK_FULL,
    "No space left on device": DISK_FULL,
    "S3 VPC endpoint": NO_S3,
    "Unable to execute request to S3": NO_S3,
    "Cannot pull algorithm container": "The role or the network does not reach the image: give the VPC "
    "endpoints for ECR and S3, or check training_image and its repository's policy.",
    "Access denied for repository": "Let the training role pull the image: ecr:BatchGetImage and "
    "ecr:GetDownloadUrlForLayer, and the repository's policy.",
    "InternalServerError": "A fault of SageMaker. Redrive the execution; raise max_retry_attempts if it is "
    "frequent.",
    "Requested resource not found": "SageMaker does not know the job that the state asks for: redrive the "
    "execution.",
    "kms:": "The role may not use the KMS key: allow it in the key's policy and in the role.",
    "KMS": "The KMS key cannot be used: enable it, and allow the role to use it in the key's policy.",
    # Lambda and Step Functions
    "Sandbox.Timedout": "The function ran out of time: lower target_shard_size, so that shards take less.",
    "Runtime.ExitError": "The function ran out of memory, most likely: give it more.",
    "Runtime.OutOfMemory": "The function ran out of memory: give it more.",
    "Lambda.TooManyRequestsException": "Lambda is at its limit: lower max_concurrency or raise the quota, "
    "then redrive the execution.",
    "States.Permissions": "The state machine's role lacks a permission.",
    "States.ItemReaderFailed": "The list of shards could not be read: start a new execution.",
    "States.Timeout": "The execution's timeout ended it: raise timeout, or redrive the execution.",
    "AccessDenied": "A role lacks a permission, or the bucket's policy or key refuses it.",
    "ThrottlingException": "The service is busy beyond all retries: start the execution again later.",
    "SlowDown": "S3 is busy beyond all retries: start the execution again later; finished shards are kept.",
    "current utilization of 0": "The quota has no room for the job even when nothing else runs: ask for a "
    "higher quota in Service Quotas, or train on other or fewer instances.",
    "ResourceLimitExceeded": "The quota is in use: redrive the execution when other jobs have ended, raise "
    "capacity_wait, or ask for a higher quota.",
    "Lambda.": FunctionError.remedy,
}
