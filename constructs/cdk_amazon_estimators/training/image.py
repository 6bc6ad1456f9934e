"""The training image of an algorithm: a literal if the region is known, else a mapping the stack shares."""

from __future__ import annotations

from aws_cdk import ArnFormat, Aws, CfnMapping, Fn, Stack, Token
from constructs import Construct

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.algorithms.training_images import image_accounts

MAPPING_ID = "TrainingImages"


class TrainingImage:
    """The image of ``algorithm`` in the region of ``scope``'s stack.

    Attributes:
        uri: The image, for the request.
        repository_arn: Its repository, for the execution role's policy.

    Raises:
        RegionError: If the region is known and Amazon publishes no image there.
    """

    def __init__(self, scope: Construct, algorithm: Algorithm) -> None:
        stack = Stack.of(scope)
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


def _account_of_deployment(stack: Stack, repository: str) -> str:
    """Return the registry's account, which CloudFormation looks up by region."""
    mapping = stack.node.try_find_child(MAPPING_ID) or CfnMapping(stack, MAPPING_ID)
    assert isinstance(mapping, CfnMapping)
    # The inner keys of a mapping are letters and digits only.
    key = repository.replace("-", "")
    for region, account in image_accounts(repository).items():
        mapping.set_value(region, key, account)
    return Fn.find_in_map(MAPPING_ID, Aws.REGION, key)
