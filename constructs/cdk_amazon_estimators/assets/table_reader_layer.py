"""Build the layer with the table reader, for the functions that read input."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk_amazon_estimators.assets.lambda_bundle import LambdaBundle
from cdk_amazon_estimators.assets.locked_packages import LockedPackages

LOCK = Path(__file__).with_name("table_reader.txt")

UNUSED = (
    # pyarrow's clients for servers and stores: objects are read with boto3 here. 50 MB.
    "pyarrow/*_flight.*",
    "pyarrow/libarrow_s3.*",
    "pyarrow/_s3fs.*",
    "pyarrow/_gcsfs.*",
    "pyarrow/_azurefs.*",
    "pyarrow/_hdfs.*",
    # Formats and engines that no input needs. Their libraries stay: each extension is linked to all. 4 MB.
    "pyarrow/_acero.*",
    "pyarrow/_dataset*",
    "pyarrow/_feather.*",
    "pyarrow/_json.*",
    "pyarrow/_orc.*",
    "pyarrow/_substrait.*",
    "pyarrow/*_parquet_encryption.*",
    "pyarrow/_pyarrow_cpp_tests.*",
    "pyarrow/src",
    # Copies, instead of links, of libraries that are loaded under the name with one number.
    "pyarrow/libarrow*.so",
    "pyarrow/libarrow*.so.*.*.*",
)


def table_reader_layer(scope: Construct, construct_id: str, bundle: LambdaBundle) -> lambda_.LayerVersion:
    """Create the layer: pyarrow for the runtime and architecture of ``bundle``, whose code has NumPy.

    It changes with its lock, not with the library's sources, so deployments rarely upload it.
    """
    return lambda_.LayerVersion(
        scope,
        construct_id,
        description="Reads CSV, Parquet, libsvm and zstd",
        code=bundle.asset(table_reader(bundle).digest(), table_reader(bundle).archive),
        compatible_runtimes=[bundle.runtime],
        compatible_architectures=[bundle.architecture],
    )


def table_reader(bundle: LambdaBundle) -> LockedPackages:
    """Return the packages of the layer. Lambda looks for modules under ``python/``."""
    return bundle.packages(LOCK, unused=UNUSED, below="python")
