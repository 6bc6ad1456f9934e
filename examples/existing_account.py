"""Two pipelines in an account that has its rules: buckets, key, network and role are there already.

The names are made up: put yours in, then ``cdk deploy --app "python3 examples/existing_account.py"``. The
data bucket has to be versioned and to send its events to EventBridge: docs/pipeline.md says how.
"""

from aws_cdk import Annotations, App, Duration, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from amazon_estimators.algorithms import PCA, Algorithm, KMeans
from cdk_amazon_estimators import LambdaBundle, RecordSetEncoder, TrainingPipeline, UploadTrigger

ACCOUNT = "arn:aws:iam::111122223333"
KEY = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555"
ALGORITHMS: dict[str, Algorithm] = {"segments": KMeans(k=40), "components": PCA(num_components=16)}


class CustomerModels(Stack):
    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        key = kms.Key.from_key_arn(self, "Key", KEY)
        data, models = (
            s3.Bucket.from_bucket_attributes(self, name, bucket_name=bucket, encryption_key=key)
            for name, bucket in (("Data", "example-customer-data"), ("Models", "example-customer-models"))
        )
        for known in ("bucketEventsUnknown", "bucketVersioning"):
            Annotations.of(self).acknowledge_warning(
                f"cdk-amazon-estimators:{known}", "The team that owns the bucket has switched it on."
            )
        vpc = ec2.Vpc.from_vpc_attributes(
            self,
            "Network",
            vpc_id="vpc-11111111",
            availability_zones=["eu-central-1a", "eu-central-1b"],
            private_subnet_ids=["subnet-11111111", "subnet-22222222"],
        )
        role = iam.Role.from_role_arn(self, "TrainingRole", f"{ACCOUNT}:role/example-training")
        encoder = RecordSetEncoder(self, "Encoder", bundle=LambdaBundle(platform="arm64"))
        for name, algorithm in ALGORITHMS.items():
            TrainingPipeline(
                self,
                name.capitalize(),
                algorithm=algorithm,
                instance_type="ml.m5.2xlarge",
                instance_count=2,
                prefix=f"{name}/",
                data_bucket=data,
                model_bucket=models,
                encryption_key=key,
                training_role=role,
                encoder=encoder,
                vpc=vpc,
                encrypt_inter_container_traffic=True,
                triggers=[UploadTrigger(quiet_period=Duration.minutes(15))],
            )


if __name__ == "__main__":
    app = App()
    CustomerModels(app, "CustomerModels")
    app.synth()
