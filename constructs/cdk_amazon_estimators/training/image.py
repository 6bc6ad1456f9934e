"""Find the training image of an algorithm: a literal if the region is known, otherwise a shared mapping."""

from __future__ import annotations

import re
from weakref import WeakKeyDictionary

from aws_cdk import ArnFormat, Aws, CfnMapping, Fn, Stack, Token
from constructs import Construct

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.algorithms.training_images import image_accounts
from cdk_amazon_estimators.errors import PipelineError

MAPPING_ID = "TrainingImages"
IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?"
    r"/(?P<repository>[a-z0-9._/-]+?)(?::[\w.-]+|@sha256:[0-9a-f]{64})"
)

_mapped: WeakKeyDictionary[CfnMapping, set[str]] = WeakKeyDictionary()
"""The repositories in a stack's mapping. Each takes a call to Node for every region."""


class TrainingImage:
    """The image of ``algorithm`` in the region of ``scope``'s stack, or the one at ``uri``.

    Attributes:
        uri: The image, for the request.
        repository_arn: Its repository, for the execution role's policy.

    Raises:
        RegionError: If the region is known and Amazon publishes no image there.
        PipelineError: If ``uri`` is not an image in Amazon ECR.
    """

    def __init__(self, scope: Construct, algorithm: Algorithm, uri: str | None = None) -> None:
        stack = Stack.of(scope)
        if uri is not None:
            self.uri = uri
            self.repository_arn = _repository_of(scope, uri)
            return
        repository = algorithm.repo_name
        if Token.is_unresolved(stack.region):
            account = _account_of_deployment(stack, repository)
            registry = f"{account}.dkr.ecr.{Aws.REGION}.{Aws.URL_SUFFIX}"
            self.uri = f"{registry}/{repository}:{algorithm.repo_version}"
        else:
            self.uri = algorithm.train_image(stack.region)
            account = self.uri.partition(".")[0]
        self.repository_arn = stack.format_arn(
            service="ecr",
            account=account,
            resource="repository",
            resource_name=repository,
            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
        )


def _repository_of(scope: Construct, uri: str) -> str:
    """Return the ARN of the ECR repository of an image.

    If the URI is a token, its account and region are read at deployment, and the ARN covers all repositories
    of that account.
    """
    if Token.is_unresolved(uri):
        parts = Fn.split(".", uri)
        account, region, repository = Fn.select(0, parts), Fn.select(3, parts), "*"
    else:
        matched = IMAGE.fullmatch(uri)
        if matched is None:
            raise PipelineError(
                f"training_image is {uri!r}; allowed: an image in Amazon ECR, such as "
                "'111122223333.dkr.ecr.eu-west-1.amazonaws.com/mirror/kmeans:1'"
            )
        account, region, repository = matched["account"], matched["region"], matched["repository"]
    return Stack.of(scope).format_arn(
        service="ecr",
        account=account,
        region=region,
        resource="repository",
        resource_name=repository,
        arn_format=ArnFormat.SLASH_RESOURCE_NAME,
    )


def _account_of_deployment(stack: Stack, repository: str) -> str:
    """Return the registry's account, which CloudFormation looks up by region."""
    # The inner keys of a mapping may only hold letters and digits.
    key = repository.replace("-", "")
    accounts = image_accounts(repository)
    mapping = stack.node.try_find_child(MAPPING_ID)
    if not isinstance(mapping, CfnMapping):
        by_region = {region: {key: account} for region, account in accounts.items()}
        mapping = CfnMapping(stack, MAPPING_ID, mapping=by_region)
    elif key not in _mapped.get(mapping, ()):
        for region, account in accounts.items():
            mapping.set_value(region, key, account)
    _mapped.setdefault(mapping, set()).add(key)
    return Fn.find_in_map(MAPPING_ID, Aws.REGION, key)
