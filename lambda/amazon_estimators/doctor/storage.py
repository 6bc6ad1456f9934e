"""Can the pipeline keep its data, and does it hear of uploads?"""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import ClientError

from amazon_estimators.doctor.finding import Finding, error, ok
from amazon_estimators.doctor.patient import Patient


def buckets(patient: Patient) -> Iterator[Finding]:
    """Are the buckets there, in the pipeline's region?"""
    s3 = patient.client("s3")
    for bucket in sorted({patient.data_bucket, patient.models.bucket}):
        try:
            region = s3.head_bucket(Bucket=bucket).get("BucketRegion") or patient.region
        except ClientError as refused:
            if refused.response["Error"]["Code"] not in ("404", "NoSuchBucket"):
                raise
            yield error(
                f"bucket {bucket} does not exist", "Deploy the stack again, or the bucket it imports."
            )
            continue
        if region != patient.region:
            yield error(
                f"bucket {bucket} is in {region}, the pipeline in {patient.region}",
                "SageMaker reads and writes buckets of its own region: use another bucket.",
            )
        else:
            yield ok(f"bucket {bucket} is there")


def versioning(patient: Patient) -> Iterator[Finding]:
    """Does the data bucket keep versions, by which an execution reads what it planned?"""
    status = patient.client("s3").get_bucket_versioning(Bucket=patient.data_bucket).get("Status", "Off")
    if status == "Enabled":
        yield ok(f"bucket {patient.data_bucket} keeps versions")
    else:
        yield error(
            f"versioning of bucket {patient.data_bucket} is {status}: no data set can be trained on again, "
            "and an object that is replaced fails the execution",
            f"aws s3api put-bucket-versioning --bucket {patient.data_bucket} "
            "--versioning-configuration Status=Enabled",
        )


def events(patient: Patient) -> Iterator[Finding]:
    """Does the data bucket send its events to EventBridge, and do all rules of the starter listen?"""
    if patient.starter is None:
        return
    rules = patient.client("events")
    names = rules.list_rule_names_by_target(TargetArn=patient.starter["queue"])["RuleNames"]
    described = [rules.describe_rule(Name=name) for name in names]
    for rule in described:
        if rule["State"] == "DISABLED":
            yield error(
                f"rule {rule['Name']} is disabled: the starter does not hear of it",
                f"aws events enable-rule --name {rule['Name']}",
            )
    if not any('"aws.s3"' in rule.get("EventPattern", "") for rule in described):
        return
    sends = patient.client("s3").get_bucket_notification_configuration(Bucket=patient.data_bucket)
    if "EventBridgeConfiguration" in sends:
        yield ok(f"bucket {patient.data_bucket} sends its events to EventBridge")
    else:
        yield error(
            f"bucket {patient.data_bucket} sends no events to EventBridge: uploads start nothing",
            f"aws s3api put-bucket-notification-configuration --bucket {patient.data_bucket} "
            "--notification-configuration '{\"EventBridgeConfiguration\": {}}'; it replaces other "
            "notifications",
        )


def encryption_keys(patient: Patient) -> Iterator[Finding]:
    """Are the KMS keys usable: those of buckets, volumes, models and of the state machine?"""
    s3, kms = patient.client("s3"), patient.client("kms")
    keys = {*patient.keys}
    for bucket in {patient.data_bucket, patient.models.bucket}:
        try:
            answer = s3.get_bucket_encryption(Bucket=bucket)
        except ClientError as refused:
            if refused.response["Error"]["Code"] in (
                "ServerSideEncryptionConfigurationNotFoundError",
                "NoSuchBucket",  # its own line says so
            ):
                continue
            raise
        for rule in answer["ServerSideEncryptionConfiguration"]["Rules"]:
            key = rule.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID")
            keys |= {key} if key else set()
    for key in sorted(keys):
        try:
            state = kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
        except ClientError as refused:
            if refused.response["Error"]["Code"] != "NotFoundException":
                raise
            state = "missing"
        if state == "Enabled":
            yield ok(f"key {key} is enabled")
        else:
            yield error(
                f"key {key} is {state}: nothing that it encrypts can be read or written",
                f"aws kms enable-key --key-id {key}; cancel its deletion first if that is pending.",
            )
