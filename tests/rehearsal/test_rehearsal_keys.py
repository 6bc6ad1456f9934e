"""Keys of KMS in the emulator: who reads or writes what they encrypt needs a permission on them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from training_account import ACCOUNT, REGION, TrainingAccount, statement, unique

ROOT = {
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "kms:*",
    "Resource": "*",
}


@pytest.fixture(scope="module")
def key(account: TrainingAccount) -> str:
    """ARN of a key whose policy leaves all to identity policies, as CDK's keys do."""
    return new_key(account, ROOT)


def new_key(account: TrainingAccount, *statements: dict[str, Any]) -> str:
    policy = json.dumps({"Version": "2012-10-17", "Statement": [*statements]})
    return str(account.platform.client("kms").create_key(Policy=policy)["KeyMetadata"]["Arn"])


def through(service: str) -> dict[str, Any]:
    return {"StringLike": {"kms:ViaService": f"{service}.{REGION}.amazonaws.com*"}}


def use(key: str, *actions: str, service: str, **condition: Any) -> dict[str, Any]:
    return statement([f"kms:{action}" for action in actions], key, **through(service), **condition)


@pytest.fixture(scope="module")
def bucket(account: TrainingAccount, key: str) -> str:
    """A bucket whose objects the key encrypts, with one of them."""
    name = unique("encrypted")
    account.s3.create_bucket(Bucket=name)
    encrypt(account, name, key)
    account.s3.put_object(Bucket=name, Key="there", Body=b"text")
    return name


def encrypt(account: TrainingAccount, bucket: str, key: str, *, bucket_key: bool = True) -> None:
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": bucket_key}
    configuration = {"Rules": [rule]}
    account.s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=configuration)


def s3_as(account: TrainingAccount, bucket: str, *more: dict[str, Any]) -> Any:
    objects = statement(["s3:GetObject", "s3:PutObject"], f"arn:aws:s3:::{bucket}/*")
    return account.platform.client_as(account.role(objects, *more), "s3")


def in_parts(s3: Any, bucket: str) -> None:
    upload = {"Bucket": bucket, "Key": "parts"}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    part = s3.upload_part(**upload, PartNumber=1, Body=b"text")["ETag"]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part}]})


S3_CALLS: dict[str, tuple[tuple[str, ...], Any]] = {
    "get": (("Decrypt",), lambda s3, name: s3.get_object(Bucket=name, Key="there")),
    "head with checksum": (
        ("Decrypt",),
        lambda s3, name: s3.head_object(Bucket=name, Key="there", ChecksumMode="ENABLED"),
    ),
    "put": (("GenerateDataKey",), lambda s3, name: s3.put_object(Bucket=name, Key="new", Body=b"text")),
    "copy": (
        ("Decrypt", "GenerateDataKey"),
        lambda s3, name: s3.copy_object(Bucket=name, Key="copy", CopySource=f"{name}/there"),
    ),
    "upload in parts": (("Decrypt", "GenerateDataKey"), in_parts),
}


@pytest.mark.parametrize("call", S3_CALLS)
def test_each_call_of_s3_needs_its_actions_on_the_key(
    account: TrainingAccount, key: str, bucket: str, call: str
) -> None:
    actions, make = S3_CALLS[call]
    make(s3_as(account, bucket, use(key, *actions, service="s3")), bucket)
    for missing in actions:
        left = [action for action in actions if action != missing]
        statements = [use(key, *left, service="s3")] if left else []
        with pytest.raises(ClientError, match=f"kms:{missing}" if "head" not in call else "403"):
            make(s3_as(account, bucket, *statements), bucket)
    with pytest.raises(ClientError):
        make(s3_as(account, bucket, use(key, *actions, service="sqs")), bucket)


def test_an_object_tells_its_key(account: TrainingAccount, key: str, bucket: str) -> None:
    for answer in (
        account.s3.get_object(Bucket=bucket, Key="there"),
        account.s3.head_object(Bucket=bucket, Key="there"),
        account.s3.put_object(Bucket=bucket, Key="told", Body=b""),
    ):
        assert (answer["ServerSideEncryption"], answer["SSEKMSKeyId"]) == ("aws:kms", key)


def test_head_alone_decrypts_nothing(account: TrainingAccount, bucket: str) -> None:
    assert s3_as(account, bucket).head_object(Bucket=bucket, Key="there")["ContentLength"] == 4


def test_the_encryption_context_is_the_bucket_or_the_object(account: TrainingAccount, key: str) -> None:
    name = unique("context")
    account.s3.create_bucket(Bucket=name)
    for bucket_key, arn in ((True, f"arn:aws:s3:::{name}"), (False, f"arn:aws:s3:::{name}/a")):
        encrypt(account, name, key, bucket_key=bucket_key)
        fits = {"StringEquals": {"kms:EncryptionContext:aws:s3:arn": arn}}
        s3 = s3_as(account, name, use(key, "GenerateDataKey", service="s3", **fits))
        s3.put_object(Bucket=name, Key="a", Body=b"")
        if not bucket_key:
            with pytest.raises(ClientError, match="kms:GenerateDataKey"):
                s3.put_object(Bucket=name, Key="b", Body=b"")


def test_the_policy_of_the_key_has_to_agree(account: TrainingAccount) -> None:
    bucket = unique("strict")
    account.s3.create_bucket(Bucket=bucket)
    allowed = use("*", "GenerateDataKey", service="s3")
    role = account.role(statement("s3:PutObject", f"arn:aws:s3:::{bucket}/*"), allowed)
    s3 = account.platform.client_as(role, "s3")
    nobody = {**ROOT, "Principal": {"AWS": account.role()}}
    encrypt(account, bucket, new_key(account, nobody))
    with pytest.raises(ClientError, match="kms:GenerateDataKey"):
        s3.put_object(Bucket=bucket, Key="a", Body=b"")
    encrypt(account, bucket, new_key(account, nobody, {**ROOT, "Principal": {"AWS": role}}))
    s3.put_object(Bucket=bucket, Key="a", Body=b"")


def test_a_grant_allows_what_it_names(account: TrainingAccount, key: str, bucket: str) -> None:
    role = account.role(statement("s3:GetObject", f"arn:aws:s3:::{bucket}/*"))
    s3, kms = account.platform.client_as(role, "s3"), account.platform.client("kms")

    def grant(operation: str, context: str) -> None:
        constraints = {"EncryptionContextSubset": {"aws:s3:arn": context}}
        kms.create_grant(KeyId=key, GranteePrincipal=role, Operations=[operation], Constraints=constraints)

    grant("Encrypt", f"arn:aws:s3:::{bucket}")
    grant("Decrypt", "arn:aws:s3:::another")
    with pytest.raises(ClientError, match="kms:Decrypt"):
        s3.get_object(Bucket=bucket, Key="there")
    grant("Decrypt", f"arn:aws:s3:::{bucket}")
    assert s3.get_object(Bucket=bucket, Key="there")["ContentLength"] == 4


def test_a_key_that_is_off_or_gone_serves_nobody(account: TrainingAccount) -> None:
    bucket, key = unique("off"), new_key(account, ROOT)
    account.s3.create_bucket(Bucket=bucket)
    encrypt(account, bucket, key)
    s3 = s3_as(account, bucket, use("*", "GenerateDataKey", service="s3"))
    account.platform.client("kms").disable_key(KeyId=key)
    with pytest.raises(ClientError, match="is Disabled"):
        s3.put_object(Bucket=bucket, Key="a", Body=b"")
    encrypt(account, bucket, f"{key[:-4]}0000")
    with pytest.raises(ClientError, match="does not exist"):
        s3.put_object(Bucket=bucket, Key="a", Body=b"")


def test_a_queue_asks_producers_and_consumers(account: TrainingAccount, key: str) -> None:
    url = account.platform.client("sqs").create_queue(
        QueueName=unique("queue"), Attributes={"KmsMasterKeyId": key}
    )["QueueUrl"]
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{url.rpartition('/')[2]}"
    calls = statement(["sqs:SendMessage", "sqs:ReceiveMessage"], queue)

    def sqs(*actions: str) -> Any:
        more = [use(key, *actions, service="sqs")] if actions else []
        return account.platform.client_as(account.role(calls, *more), "sqs")

    sqs("GenerateDataKey", "Decrypt").send_message(QueueUrl=url, MessageBody="text")
    for missing in ("GenerateDataKey", "Decrypt"):
        (other,) = {"GenerateDataKey", "Decrypt"} - {missing}
        with pytest.raises(ClientError, match=f"KmsAccessDenied.*kms:{missing}"):
            sqs(other).send_message(QueueUrl=url, MessageBody="text")
    with pytest.raises(ClientError, match=r"KmsAccessDenied.*kms:Decrypt"):
        sqs().receive_message(QueueUrl=url)
    assert len(sqs("Decrypt").receive_message(QueueUrl=url)["Messages"]) == 1


def test_a_rule_delivers_if_the_policy_of_the_key_lets_it(account: TrainingAccount, key: str) -> None:
    events, sqs = account.platform.client("events"), account.platform.client("sqs")
    service = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    }
    elsewhere = {**service, "Condition": {"StringEquals": {"aws:SourceAccount": "1" * 12}}}
    source = unique("source")
    urls = []
    for number, statements in enumerate([(ROOT,), (ROOT, elsewhere), (ROOT, service)]):
        attributes = {"KmsMasterKeyId": new_key(account, *statements)}
        name = unique("told")
        urls.append(sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])
        rule = f"{source}-{number}"
        events.put_rule(Name=rule, EventPattern=json.dumps({"source": [source]}))
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
        events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": arn}])
    events.put_events(Entries=[{"Source": source, "DetailType": "test", "Detail": "{}"}])
    heard = [sqs.receive_message(QueueUrl=url, WaitTimeSeconds=0).get("Messages", []) for url in urls]
    assert [len(messages) for messages in heard] == [0, 0, 1]


def test_a_topic_asks_publishers(account: TrainingAccount, key: str) -> None:
    topic = account.platform.client("sns").create_topic(
        Name=unique("topic"), Attributes={"KmsMasterKeyId": key}
    )["TopicArn"]
    publish = statement("sns:Publish", topic)
    with pytest.raises(ClientError, match=r"KMSAccessDenied.*kms:GenerateDataKey"):
        account.platform.client_as(account.role(publish), "sns").publish(TopicArn=topic, Message="text")
    allowed = account.role(publish, use(key, "GenerateDataKey*", "Decrypt", service="sns"))
    account.platform.client_as(allowed, "sns").publish(TopicArn=topic, Message="text")


def test_a_state_machine_asks_its_role_and_its_callers(account: TrainingAccount, key: str) -> None:
    states = account.states
    definition = json.dumps(
        {
            "StartAt": "A",
            "States": {
                "A": {
                    "Type": "Parallel",
                    "Branches": [{"StartAt": "B", "States": {"B": {"Type": "Pass", "End": True}}}],
                    "End": True,
                }
            },
        }
    )

    def machine(*statements: dict[str, Any]) -> str:
        return str(
            states.create_state_machine(
                name=unique("machine"),
                definition=definition,
                roleArn=account.role(*statements, service="states.amazonaws.com"),
                encryptionConfiguration={"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": key},
            )["stateMachineArn"]
        )

    def of(arn: str) -> dict[str, Any]:
        return {"StringEquals": {"kms:EncryptionContext:aws:states:stateMachineArn": arn}}

    refused = account.execute(machine())
    assert (refused["status"], refused["error"]) == ("FAILED", "States.Permissions")
    arn = machine(statement(["kms:Decrypt", "kms:GenerateDataKey"], key))
    assert account.execute(arn)["status"] == "SUCCEEDED"
    start = statement("states:StartExecution", arn)

    def caller(*more: dict[str, Any]) -> Any:
        return account.platform.client_as(account.role(start, *more), "stepfunctions")

    for statements in ((), (statement(["kms:Decrypt", "kms:GenerateDataKey"], key, **of("another")),)):
        with pytest.raises(ClientError, match=r"KmsAccessDenied.*kms:Decrypt"):
            caller(*statements).start_execution(stateMachineArn=arn)
    caller(use(key, "Decrypt", "GenerateDataKey", service="states")).start_execution(stateMachineArn=arn)


@pytest.mark.parametrize("member", ["VolumeKmsKeyId", "KmsKeyId"])
def test_a_training_job_uses_the_keys_as_its_role(account: TrainingAccount, key: str, member: str) -> None:
    request = account.request(account.execution_role())
    where = "ResourceConfig" if member == "VolumeKmsKeyId" else "OutputDataConfig"
    request[where] = {**request[where], member: key}
    job = account.train(request)
    action = "kms:CreateGrant" if member == "VolumeKmsKeyId" else "kms:Encrypt"
    assert job["TrainingJobStatus"] == "Failed"
    assert action in job["FailureReason"]


def test_a_rule_starts_a_state_machine_as_its_role(account: TrainingAccount, key: str) -> None:
    events, states, source = account.platform.client("events"), account.states, unique("source")
    machine = states.create_state_machine(
        name=unique("machine"),
        definition=json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}),
        roleArn=account.role(statement(["kms:*"], key), service="states.amazonaws.com"),
        encryptionConfiguration={"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": key},
    )["stateMachineArn"]
    start = statement("states:StartExecution", machine)
    uses = use(key, "Decrypt", "GenerateDataKey", service="states")
    rule = unique("rule")
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": [source]}))
    counts = []
    for service, statements in (
        ("events", (uses,)),
        ("events", (start,)),
        ("scheduler", (start, uses)),
        ("events", (start, uses)),
    ):
        role = account.role(*statements, service=f"{service}.amazonaws.com")
        events.put_targets(Rule=rule, Targets=[{"Id": "machine", "Arn": machine, "RoleArn": role}])
        events.put_events(Entries=[{"Source": source, "DetailType": "test", "Detail": "{}"}])
        counts.append(len(states.list_executions(stateMachineArn=machine)["executions"]))
    assert counts == [0, 0, 0, 1]
