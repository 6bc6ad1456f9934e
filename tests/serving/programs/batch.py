"""Transform jobs."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd

from amazon_estimators import sdk
from amazon_estimators.sdk import common
from programs.surroundings import Surroundings, label_of, program


@program
def a_transform_job_of_csv(here: Surroundings) -> None:
    kmeans = sdk.KMeans(role=here.role, k=2, **here.instances)
    kmeans.fit(kmeans.record_set(here.rows))
    text = "\n".join(",".join(map(str, row)) for row in here.rows.tolist())
    source = here.upload("batch/points.csv", text.encode())
    transformer = kmeans.transformer(
        1,
        "ml.m5.large",
        output_path=f"{here.location}/out",
        accept="application/jsonlines",
        assemble_with="Line",
    )
    transformer.transform(source, content_type="text/csv", split_type="Line")
    transformer.wait()
    lines = here.download(f"{transformer.output_path}/points.csv.out").decode().splitlines()
    assert len(lines) == len(here.rows) and "closest_cluster" in json.loads(lines[0])
    transformer.delete_model()


@program
def a_transform_job_of_records(here: Surroundings) -> None:
    linear = sdk.LinearLearner(here.role, predictor_type="regressor", **here.instances)
    linear.fit(linear.record_set(here.rows, here.labels))
    file = io.BytesIO()
    common.write_numpy_to_dense_tensor(file, here.rows)
    source = here.upload("batch/rows.pbr", file.getvalue())
    transformer = linear.transformer(
        instance_count=1,
        instance_type="ml.m5.large",
        strategy="MultiRecord",
        output_path=f"{here.location}/out",
    )
    transformer.transform(
        source, content_type="application/x-recordio-protobuf", split_type="RecordIO", wait=False
    )
    transformer.wait(logs=False)
    scores = json.loads(here.download(f"{here.location}/out/rows.pbr.out"))["predictions"]
    assert np.allclose([one["score"] for one in scores], here.labels, atol=0.3)


@program
def a_transformer_of_a_model(here: Surroundings) -> None:
    pca = sdk.PCA(here.role, 1, "ml.m5.large", 2, data_location=here.location, sagemaker_session=here.session)
    pca.fit(pca.record_set(here.rows))
    model = sdk.PCAModel(pca.model_data, here.role, here.session)
    transformer = model.transformer(1, "ml.m5.large", output_path=f"{here.location}/out")
    source = here.upload("batch/rows.json", json.dumps({"instances": [{"features": [1, 2, 3]}]}).encode())
    transformer.transform(source, content_type="application/json")
    answer = json.loads(here.download(f"{here.location}/out/rows.json.out"))
    assert len(answer["projections"][0]["projection"]) == 2
    again = sdk.Transformer.attach(transformer.latest_transform_job.name, here.session)
    assert again.model_name == model.name


@program
def a_folder_of_files_scored(here: Surroundings) -> None:
    """Batch transform of a folder, a record at a time."""
    rcf = sdk.RandomCutForest(role=here.role, num_trees=50, num_samples_per_tree=40, **here.instances)
    rcf.fit(rcf.record_set(here.rows))
    for part in range(2):
        here.upload(
            f"batch/part-{part}.csv",
            pd.DataFrame(here.rows[part::2]).to_csv(header=False, index=False).encode(),
        )
    transformer = rcf.transformer(
        1,
        "ml.m4.xlarge",
        strategy="SingleRecord",
        output_path=f"{here.location}/scores",
        assemble_with="Line",
        accept="application/jsonlines",
        max_payload=1,
        max_concurrent_transforms=2,
    )
    transformer.transform(
        f"{here.location}/batch/",
        data_type="S3Prefix",
        content_type="text/csv",
        split_type="Line",
        job_name=f"scores-{here.prefix[:8]}",
        wait=False,
    )
    transformer.wait()
    for part in range(2):
        frame = pd.read_json(
            io.StringIO(here.download(f"{transformer.output_path}/part-{part}.csv.out").decode()), lines=True
        )
        assert frame.shape == (40, 1) and frame["score"].gt(0).all()


@program
def records_in_and_records_out_of_a_batch(here: Surroundings) -> None:
    pca = sdk.PCA(role=here.role, num_components=2, **here.instances)
    pca.fit(pca.record_set(here.rows))
    buf = io.BytesIO()
    common.write_numpy_to_dense_tensor(buf, here.rows)
    uri = here.upload("in/rows.pbr", buf.getvalue())
    transformer = pca.create_model().transformer(
        1, "ml.m4.xlarge", output_path=f"{here.location}/out", accept="application/x-recordio-protobuf"
    )
    transformer.transform(
        uri.removesuffix("rows.pbr"), content_type="application/x-recordio-protobuf", split_type="RecordIO"
    )
    transformer.wait()
    found = common.read_records(io.BytesIO(here.download(f"{here.location}/out/rows.pbr.out")))
    assert len(found) == len(here.rows) and len(label_of(found[0], "projection")) == 2
    assert transformer.latest_transform_job.job_name == transformer.latest_transform_job.name
