"""Sessions, jobs that exist, and the registry."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pandas as pd

from amazon_estimators import sdk
from amazon_estimators.sdk import serializers
from programs.surroundings import Surroundings, program


@program
def attach_to_a_job_and_deploy(here: Surroundings) -> None:
    kmeans = sdk.KMeans(role=here.role, k=2, **here.instances)
    kmeans.fit(kmeans.record_set(here.rows), wait=False)
    again = sdk.KMeans.attach(kmeans.latest_training_job.job_name, here.session)
    predictor = again.deploy(1, "ml.m5.large", wait=True)
    assert len(predictor.predict(here.rows[0])) == 1
    predictor.delete_model()
    predictor.delete_endpoint()


@program
def a_session_with_a_bucket(here: Surroundings) -> None:
    session = sdk.Session(here.session, default_bucket=here.bucket, default_bucket_prefix=here.prefix)
    pca = sdk.PCA(
        role=here.role,
        instance_count=1,
        instance_type="ml.m5.large",
        num_components=1,
        sagemaker_session=session,
    )
    pca.fit(pca.record_set(here.rows))
    assert pca.model_data.startswith(here.location)
    transformer = pca.transformer(1, "ml.m5.large", accept="application/jsonlines", assemble_with="Line")
    source = here.upload("batch/points.csv", b"1,2,3\n4,5,6")
    transformer.transform(source, content_type="text/csv", split_type="Line")
    lines = here.download(f"{transformer.output_path}/points.csv.out").splitlines()
    assert [len(json.loads(line)["projection"]) for line in lines] == [1, 1]
    transformer.delete_model()


@program
def text_uploaded_by_the_session(here: Surroundings) -> None:
    session = sdk.Session(here.session, default_bucket=here.bucket)
    with tempfile.TemporaryDirectory() as folder:
        pd.DataFrame(here.rows).to_csv(f"{folder}/train.csv", header=False, index=False)
        train_path = session.upload_data(
            path=f"{folder}/train.csv", bucket=here.bucket, key_prefix=f"{here.prefix}/data"
        )
    train_input = sdk.TrainingInput(
        train_path, content_type="text/csv;label_size=0", distribution="ShardedByS3Key"
    )
    kmeans = sdk.KMeans(
        role=here.role, instance_count=1, instance_type="ml.m5.large", k=2, sagemaker_session=session
    )
    kmeans.fit({"train": train_input})
    predictor = kmeans.deploy(
        1, "ml.m5.large", serializer=serializers.CSVSerializer(), deserializer=serializers.JSONDeserializer()
    )
    assert len(predictor.predict(pd.DataFrame(here.rows[:3]))["predictions"]) == 3
    predictor.delete_model()
    session.delete_endpoint(predictor.endpoint_name)


@program
def sessions_look_after_what_they_made(here: Surroundings) -> None:
    sess = sdk.Session(here.session, default_bucket=here.bucket)
    kmeans = sdk.KMeans(
        role=here.role,
        instance_count=1,
        instance_type="ml.m5.large",
        k=2,
        sagemaker_session=sess,
        output_path=f"s3://{sess.default_bucket()}/{here.prefix}/output",
    )
    kmeans.fit(kmeans.record_set(here.rows))
    assert sess.describe_training_job(kmeans.latest_training_job.name)["TrainingJobStatus"] == "Completed"
    predictor = kmeans.deploy(
        1, "ml.m5.large", endpoint_name=f"k-{here.prefix[:8]}", model_name=f"m-{here.prefix[:8]}"
    )
    assert predictor.endpoint_name == f"k-{here.prefix[:8]}"
    keys = sess.list_s3_files(here.bucket, f"{here.prefix}/output")
    assert any(key.endswith("model.tar.gz") for key in keys)
    with tempfile.TemporaryDirectory() as folder:
        sess.download_data(
            folder, here.bucket, key_prefix=next(key for key in keys if key.endswith("model.tar.gz"))
        )
        assert (Path(folder) / "model.tar.gz").exists()
    sess.delete_endpoint(predictor.endpoint_name)
    sess.delete_endpoint_config(predictor.endpoint_name)
    sess.delete_model(f"m-{here.prefix[:8]}")


@program
def a_versioned_model(here: Surroundings) -> None:
    kmeans = sdk.KMeans(role=here.role, k=2, **here.instances)
    kmeans.fit(kmeans.record_set(here.rows))
    client = here.session.client("sagemaker")
    group = f"points-{here.prefix[:8]}"
    client.create_model_package_group(ModelPackageGroupName=group)
    package = kmeans.register(
        content_types=["text/csv"],
        response_types=["application/json"],
        inference_instances=["ml.m5.large"],
        transform_instances=["ml.m5.large"],
        model_package_group_name=group,
        approval_status="Approved",
        description="two clusters",
    )
    described = client.describe_model_package(ModelPackageName=package.model_package_arn)
    assert described["ModelApprovalStatus"] == "Approved"
    assert described["InferenceSpecification"]["Containers"][0]["ModelDataUrl"] == kmeans.model_data
