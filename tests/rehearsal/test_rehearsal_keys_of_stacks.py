"""Keys of KMS that a template gives its resources: kept, and asked for when the resource is used."""

from __future__ import annotations

import io
import json
import time
import zipfile
from typing import Any

import pytest
from test_rehearsal_keys import ROOT, new_key, s3_as, use
from training_account import ACCOUNT, REGION, TrainingAccount, statement, unique


def deploy(account: TrainingAccount, kind: str, **properties: Any) -> str:
    """Make a stack of one resource; return the resource's physical id, or why there is no stack."""
    formation, name = account.platform.client("cloudformation"), unique("stack")
    template = {"Resources": {"One": {"Type": kind, "Properties": properties}}}
    formation.create_stack(StackName=name, TemplateBody=json.dumps(template))
    deadline = time.monotonic() + 20
    while (stack := formation.describe_stacks(StackName=name)["Stacks"][0])["StackStatus"].endswith(
        "_IN_PROGRESS"
    ):
        assert time.monotonic() < deadline, stack
        time.sleep(0.02)
    events = formation.describe_stack_events(StackName=name)["StackEvents"]
    if stack["StackStatus"] != "CREATE_COMPLETE":
        return " ".join(event.get("ResourceStatusReason", "") for event in events)
    (resource,) = formation.describe_stack_resources(StackName=name)["StackResources"]
    return str(resource["PhysicalResourceId"])


def logs(context: str) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"Service": f"logs.{REGION}.amazonaws.com"},
        "Action": ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
        "Resource": "*",
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": context}},
    }


def test_a_bucket_keeps_its_encryption(account: TrainingAccount) -> None:
    key = new_key(account, ROOT)
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rule = {"ServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}
    encryption = {"ServerSideEncryptionConfiguration": [rule]}
    bucket = deploy(account, "AWS::S3::Bucket", BucketEncryption=encryption)
    told = account.s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert told == [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]
    answer = s3_as(account, bucket, use(key, "GenerateDataKey", service="s3")).put_object(
        Bucket=bucket, Key="a", Body=b""
    )
    assert answer["SSEKMSKeyId"] == key


def test_a_bucket_of_kms_without_a_named_key_serves_everybody(account: TrainingAccount) -> None:
    rule = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    encryption = {"ServerSideEncryptionConfiguration": [rule]}
    bucket = deploy(account, "AWS::S3::Bucket", BucketEncryption=encryption)
    s3 = s3_as(account, bucket)
    s3.put_object(Bucket=bucket, Key="a", Body=b"")
    s3.put_object(Bucket=bucket, Key="b", Body=b"", ServerSideEncryption="aws:kms")
    assert s3.get_object(Bucket=bucket, Key="b")["ServerSideEncryption"] == "aws:kms"


def test_a_log_group_needs_a_key_that_names_it(account: TrainingAccount) -> None:
    name = unique("/logs")
    arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}"
    for statements in ((ROOT,), (ROOT, logs(f"{arn}-other"))):
        told = deploy(
            account, "AWS::Logs::LogGroup", LogGroupName=name, KmsKeyId=new_key(account, *statements)
        )
        assert "not allowed to be used with LogGroup" in told
    key = new_key(account, ROOT, logs(f"{arn}*"))
    assert deploy(account, "AWS::Logs::LogGroup", LogGroupName=name, KmsKeyId=key) == name


def alarm_of(account: TrainingAccount, *statements: dict[str, Any]) -> int:
    """The messages that an alarm's topic with a key of these statements passes on."""
    topic = deploy(account, "AWS::SNS::Topic", KmsMasterKeyId=new_key(account, ROOT, *statements))
    sqs, name = account.platform.client("sqs"), unique("heard")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
    send = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [send]})})
    account.platform.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    alarms, alarm = account.platform.client("cloudwatch"), unique("alarm")
    alarms.put_metric_alarm(
        AlarmName=alarm,
        AlarmActions=[topic],
        MetricName="Never",
        Namespace="Tests",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    alarms.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="test")
    return len(sqs.receive_message(QueueUrl=url).get("Messages", []))


def test_an_alarm_reaches_a_topic_if_the_policy_of_the_key_lets_cloudwatch(account: TrainingAccount) -> None:
    service = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
    }
    assert alarm_of(account) == 0
    assert alarm_of(account, service) == 1


def function_of(account: TrainingAccount, role: str, key: str) -> str:
    """A function that answers with one of its environment variables, which the key encrypts."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr(
            "code.py", "import os\ndef handler(event, context):\n    return os.environ['SAID']\n"
        )
    name = unique("function")
    account.platform.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.12",
        Handler="code.handler",
        Role=role,
        Code={"ZipFile": package.getvalue()},
        Environment={"Variables": {"SAID": "text"}},
        **({"KMSKeyArn": key} if key else {}),
    )
    return name


def test_a_function_decrypts_its_environment_as_its_role(account: TrainingAccount) -> None:
    key, service = new_key(account, ROOT), "lambda.amazonaws.com"
    functions = account.platform.client("lambda")

    def answer(*statements: dict[str, Any]) -> Any:
        name = function_of(account, account.role(*statements, service=service), key)
        return json.loads(functions.invoke(FunctionName=name)["Payload"].read())

    refused = answer(use(key, "Decrypt", service="s3"))
    assert refused["errorType"] == "KMSAccessDeniedException"
    assert "kms:Decrypt" in refused["errorMessage"]
    assert answer(use(key, "Decrypt", service="lambda")) == "text"


@pytest.mark.parametrize("allowed", [False, True])
def test_lambda_polls_a_queue_as_the_role_of_the_function(account: TrainingAccount, allowed: bool) -> None:
    key, sqs, name = new_key(account, ROOT), account.platform.client("sqs"), unique("polled")
    url = sqs.create_queue(QueueName=name, Attributes={"KmsMasterKeyId": key})["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
    poll = statement(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], arn)
    decrypt = [use(key, "Decrypt", service="sqs")] if allowed else []
    role = account.role(poll, use(key, "Decrypt", service="lambda"), *decrypt, service="lambda.amazonaws.com")
    functions = account.platform.client("lambda")
    functions.create_event_source_mapping(EventSourceArn=arn, FunctionName=function_of(account, role, key))
    sqs.send_message(QueueUrl=url, MessageBody="text")

    def left() -> bool:
        told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return told["ApproximateNumberOfMessages"] == "1"

    def refused() -> bool:
        lines = account.platform.denials()
        return any(f":assumed-role/{role.rpartition('/')[2]}/" in line for line in lines)

    deadline = time.monotonic() + 20
    while left() if allowed else not refused():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert left() is not allowed
