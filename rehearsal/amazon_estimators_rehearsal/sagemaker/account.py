"""Declare the interface between the stand-in and the AWS account around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from amazon_estimators_rehearsal.sagemaker.errors import AccessDeniedError, ValidationError

SERVICE_PRINCIPAL = "sagemaker.amazonaws.com"
TRAINING_NAMESPACE = "/aws/sagemaker/TrainingJobs"
ENDPOINTS_NAMESPACE = "/aws/sagemaker/Endpoints"
TRANSFORM_NAMESPACE = "/aws/sagemaker/TransformJobs"


@dataclass(frozen=True)
class Credentials:
    """Temporary credentials of a role."""

    access_key_id: str
    secret_access_key: str
    session_token: str

    def environment(self) -> dict[str, str]:
        """Return them as the environment variables that SDKs read."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_SESSION_TOKEN": self.session_token,
        }


class Account(Protocol):
    """An account with IAM enforced. A denial is the text AWS would return; None means allowed."""

    account_id: str
    region: str

    def denial(
        self, access_key: str, action: str, resource: str, context: Mapping[str, str] | None = None
    ) -> str | None:
        """Return why the principal of ``access_key`` may not perform ``action`` on ``resource``, or None."""

    def role_credentials(self, role_arn: str, service: str, source: str) -> Credentials:
        """Return credentials of a role for a service that acts for the resource with ARN ``source``.

        Raises:
            LookupError: The role is missing, or does not trust the service.
        """

    def client(self, service: str, credentials: Credentials) -> Any:
        """Return an SDK client that acts with a role's credentials."""

    def alarming(self, names: Sequence[str]) -> list[str]:
        """Return those of the CloudWatch alarms that are in ALARM."""

    def environment(self) -> Mapping[str, str]:
        """Return the variables that a process needs to reach the account's endpoint, without credentials."""

    def publish(self, detail_type: str, detail: Mapping[str, Any], resource: str) -> None:
        """Put an event of the service on the account's default event bus."""


def passed_role(account: Account, caller: str, role_arn: str, job_arn: str) -> Credentials:
    """Check that ``caller`` may pass ``role_arn`` to SageMaker, and that SageMaker may assume it.

    Raises:
        AccessDeniedError: The caller may not pass it; the text is the service's.
        ValidationError: SageMaker may not assume it; the text is the service's.
    """
    denial = account.denial(caller, "iam:PassRole", role_arn, {"iam:PassedToService": SERVICE_PRINCIPAL})
    if denial:
        raise AccessDeniedError(denial)
    try:
        return account.role_credentials(role_arn, SERVICE_PRINCIPAL, job_arn)
    except LookupError:
        raise ValidationError(
            f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
            f"'{SERVICE_PRINCIPAL}' to assume the role."
        ) from None


def start_denial(
    account: Account,
    role: Credentials,
    image: str,
    metrics_namespace: str,
    *,
    volume_key: str | None = None,
    output_key: str | None = None,
) -> str | None:
    """Return why a job with this role cannot start, or None.

    It must pull its image, put its metrics and use its keys. The permissions for that are checked but not
    used: the emulator has no such registry, and the stand-in puts no metrics and encrypts no volume.

    Args:
        account: The account.
        role: The role's credentials.
        image: The image, ``account.dkr.ecr.region…/repository:tag``.
        metrics_namespace: The namespace of the metrics.
        volume_key: The KMS key of the instances' volumes. The role creates a grant on it for EBS:
            https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html
        output_key: The KMS key of the output, for which the role "must include permissions to call
            kms:Encrypt": https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_OutputDataConfig.html
    """
    registry, _, path = image.partition("/")
    owner, _, _, region = registry.split(".")[:4]
    repository = f"arn:aws:ecr:{region}:{owner}:repository/{path.split(':')[0]}"
    namespace = {"cloudwatch:namespace": metrics_namespace}
    calls: list[tuple[str, str, dict[str, str]]] = [
        ("ecr:GetAuthorizationToken", "*", {}),
        ("ecr:BatchCheckLayerAvailability", repository, {}),
        ("ecr:BatchGetImage", repository, {}),
        ("ecr:GetDownloadUrlForLayer", repository, {}),
        ("cloudwatch:PutMetricData", "*", namespace),
    ]
    through = {
        "kms:ViaService": f"sagemaker.{account.region}.amazonaws.com",
        "kms:CallerAccount": account.account_id,
    }
    if volume_key:
        calls.append(("kms:CreateGrant", volume_key, {**through, "kms:GrantIsForAWSResource": "true"}))
    if output_key:
        calls.append(("kms:Encrypt", output_key, through))
    denials = (account.denial(role.access_key_id, *call) for call in calls)
    return next((denial for denial in denials if denial), None)
