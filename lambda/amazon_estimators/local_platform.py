"""Tell constructs that an app is deployed to a local platform, which runs functions on this machine."""

from __future__ import annotations

LAMBDA_PLATFORM = "cdk-amazon-estimators:lambdaPlatform"
"""The key of the CDK context that overrides the platform of every LambdaBundle of an app."""

ON_THIS_MACHINE = {LAMBDA_PLATFORM: "host"}
"""The CDK context under which functions are built for this machine and its Python."""
