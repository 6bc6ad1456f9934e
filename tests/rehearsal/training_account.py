"""What a training job needs in an account, made through the API: a bucket, shards, a role, a request."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

import numpy as np

from amazon_estimators.algorithms import KMeans
from amazon_estimators.recordio import encode_dense
from amazon_estimators_rehearsal.platform import Platform

REGION, ACCOUNT = "us-east-1", "000000000000"
IMAGE = KMeans.train_image(REGION)
_names = itertools.count()

RULE = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule"


def unique(stem: str) -> str:
    return f"{stem}-{next(_names)}"


def statement(actions: str | list[str], resources: str | list[str], **condition: Any) -> dict[str, Any]:
    found = {"Effect": "Allow", "Action": actions, "Resource": resources}
    return {**found, "Condition": condition} if condition else found


def trust(service: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}


class TrainingAccount:
    """A bucket of its own with a RecordSet of two shards, and roles as a test wants them."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.s3, self.iam = platform.client("s3"), platform.client("iam")
        self.sagemaker, self.states = platform.client("sagemaker"), platform.client("stepfunctions")
        self.bucket = unique("training")
        self.s3.create_bucket(Bucket=self.bucket)
        rng = np.random.default_rng(7)
        self.rows = np.concatenate([rng.normal(center, 0.1, (30, 3)) for center in (0, 10)]).astype(
            np.float32
        )
        self.put("train/matrix_00000.pbr", encode_dense(self.rows[::2]))
        self.put("train/matrix_00001.pbr", encode_dense(self.rows[1::2]))
        self.manifest("train/.amazon.manifest", "matrix_00000.pbr", "matrix_00001.pbr")

    def put(self, key: str, body: Any) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=bytes(body))

    def manifest(self, key: str, *keys: str) -> None:
        folder = key.rpartition("/")[0]
        self.put(key, json.dumps([{"prefix": f"s3://{self.bucket}/{folder}/"}, *keys]).encode())

    def role(self, *statements: dict[str, Any], service: str = "sagemaker.amazonaws.com") -> str:
        """ARN of a role that ``service`` may assume."""
        name = unique("role")
        document = {"Version": "2012-10-17", "Statement": [trust(service)]}
        arn = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))["Role"][
            "Arn"
        ]
        if statements:
            policy = {"Version": "2012-10-17", "Statement": list(statements)}
            self.iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(policy))
        return str(arn)

    def execution_role(self, *, without: str = "") -> str:
        """A role with all that a training job needs, less one action."""
        namespace = {"StringEquals": {"cloudwatch:namespace": "/aws/sagemaker/TrainingJobs"}}
        log_group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/sagemaker/TrainingJobs"
        repository = f"arn:aws:ecr:{REGION}:{IMAGE[:12]}:repository/kmeans"
        wanted = [
            ("s3:GetObject", f"arn:aws:s3:::{self.bucket}/train/*", {}),
            ("s3:PutObject", f"arn:aws:s3:::{self.bucket}/models/*", {}),
            ("logs:CreateLogGroup", log_group, {}),
            ("logs:CreateLogStream", f"{log_group}:log-stream:job-*", {}),
            ("logs:DescribeLogStreams", log_group, {}),
            ("logs:PutLogEvents", f"{log_group}:log-stream:job-*", {}),
            ("cloudwatch:PutMetricData", "*", namespace),
            ("ecr:GetAuthorizationToken", "*", {}),
            ("ecr:BatchCheckLayerAvailability", repository, {}),
            ("ecr:BatchGetImage", repository, {}),
            ("ecr:GetDownloadUrlForLayer", repository, {}),
        ]
        assert not without or without in [action for action, _, _ in wanted]
        return self.role(
            *(statement(action, resource, **more) for action, resource, more in wanted if action != without)
        )

    def request(self, role: str, **changes: Any) -> dict[str, Any]:
        """A request that succeeds with a right role, with members replaced; None drops one."""
        request = {
            "TrainingJobName": unique("job"),
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "RoleArn": role,
            "HyperParameters": {"k": "2", "feature_dim": "3"},
            "InputDataConfig": [self.channel("train/.amazon.manifest")],
            "OutputDataConfig": {"S3OutputPath": f"s3://{self.bucket}/models/"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 5},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        }
        return {name: value for name, value in {**request, **changes}.items() if value is not None}

    def channel(self, manifest: str, name: str = "train") -> dict[str, Any]:
        source = {
            "S3DataType": "ManifestFile",
            "S3Uri": f"s3://{self.bucket}/{manifest}",
            "S3DataDistributionType": "ShardedByS3Key",
        }
        return {
            "ChannelName": name,
            "ContentType": "application/x-recordio-protobuf",
            "DataSource": {"S3DataSource": source},
        }

    def train(self, request: dict[str, Any]) -> dict[str, Any]:
        """Create the job and wait for its end: its description."""
        self.sagemaker.create_training_job(**request)
        return self.ended(request["TrainingJobName"])

    def ended(self, name: str, seconds: float = 60) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            job: dict[str, Any] = self.sagemaker.describe_training_job(TrainingJobName=name)
            if job["TrainingJobStatus"] not in ("InProgress", "Stopping"):
                return job
            time.sleep(0.1)
        raise AssertionError(f"{name} has not ended after {seconds} s: {job}")

    def machine(self, states: dict[str, Any], role: str) -> str:
        """ARN of a state machine that begins with the first of ``states``."""
        definition = {"StartAt": next(iter(states)), "States": states}
        answer = self.states.create_state_machine(
            name=unique("machine"), definition=json.dumps(definition), roleArn=role
        )
        return str(answer["stateMachineArn"])

    def execute(self, machine: str, given: Any = None, seconds: float = 60) -> dict[str, Any]:
        """Run a state machine to its end: its description."""
        arn = self.states.start_execution(stateMachineArn=machine, input=json.dumps(given or {}))[
            "executionArn"
        ]
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            execution: dict[str, Any] = self.states.describe_execution(executionArn=arn)
            if execution["status"] != "RUNNING":
                return execution
            time.sleep(0.1)
        raise AssertionError(f"{arn} has not ended after {seconds} s")
