"""Implement ``predict``: predict with a model without SageMaker. Also show models for ``inspect``."""

from __future__ import annotations

import csv
import re
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from amazon_estimators.cli.hyperparameters import AlgorithmName
from amazon_estimators.cli.pipeline import find, of_pipeline
from amazon_estimators.cli.terminal import as_json, assignment, errors, output, print_json
from amazon_estimators.errors import ModelError
from amazon_estimators.sources.options import HELP, source_options

if TYPE_CHECKING:
    from amazon_estimators.inference import LocalModel, Predictions
    from amazon_estimators.sources import Source

PREDICTOR_TYPES = ("regressor", "binary_classifier", "multiclass_classifier")
MODEL_FILES = re.compile(r"(.*[/\\])?(.*\.tar\.gz|.*\.tgz|model_algo-[0-9]+)")
SHARD_BYTES = 64 * 2**20
"""Bytes of rows per block of predictions."""


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="[MODEL] POINTS")
@of_pipeline
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV file to write. Default: standard output.",
)
@click.option(
    "--algorithm", type=AlgorithmName(), help="Algorithm of MODEL. Default: recognised by its arrays."
)
@click.option(
    "--predictor-type",
    type=click.Choice(PREDICTOR_TYPES),
    help="Its predictor_type, for LinearLearner or FactorizationMachines models that do not store it.",
)
@click.option("--format", "file_format", help="Format of POINTS. Default: by extension.")
@click.option(
    "--header", type=click.Choice(["auto", "present", "absent"]), help="Header row of CSV. Default: auto."
)
@click.option("--source", "sources", multiple=True, metavar="NAME=VALUE", help=HELP)
@as_json
def predict(  # noqa: PLR0917 - click passes options by name
    files: tuple[str, ...],
    out: Path | None,
    algorithm: str | None,
    predictor_type: str | None,
    file_format: str | None,
    header: str | None,
    sources: tuple[str, ...],
    as_json: bool,
    **where: Any,
) -> int:
    """Predict each row of POINTS with MODEL, a model.tar.gz on disk or S3, without SageMaker. Print CSV.

    With --stack or --state-machine it is the model that this pipeline has in use, and POINTS is read as the
    pipeline reads its training data: features by name, without the label.

    POINTS is a file of any format that a pipeline reads. With MODEL, its columns are the features in the
    order of training. Leave out a label with --source label=NAME, and other columns with --source
    exclude=NAME.

    \b
    amazon-estimators predict --stack Churn customers.csv --out churn.csv
    amazon-estimators predict model.tar.gz points.csv
    amazon-estimators predict s3://bucket/model.tar.gz points.csv --source exclude=id --out clusters.csv
    """
    from amazon_estimators.sources import Source  # noqa: PLC0415 - slow to import, not for --help

    options = source_options(map(assignment, sources), format=file_format, header=header)
    *models, points = files
    has_pipeline = where["stack"] is not None or where["state_machine"] is not None
    if len(models) != (0 if has_pipeline else 1):
        raise click.UsageError("give MODEL and POINTS; or --stack or --state-machine, and POINTS")
    if has_pipeline:
        if algorithm or predictor_type:
            raise click.UsageError(
                "--algorithm and --predictor-type are those of the pipeline: leave them out"
            )
        asked = find(**where).model_to_ask()
        source = asked.rows_source(Source.from_dict(options) if options else None)
        loaded, classes = _told(asked.load), asked.classes
    else:
        source = Source.from_dict(options)
        loaded, classes = _loaded(models[0], algorithm, predictor_type), tuple(source.classes)
    blocks = (
        loaded.predict(rows).with_classes(classes)
        for rows in _rows(Path(points), source, every_row=has_pipeline)
    )
    if as_json:
        records = [record for block in blocks for record in block.records()]
        print_json({"algorithm": loaded.algorithm, "predictions": records})
        return 0
    with out.open("w", newline="", encoding="utf-8") if out else nullcontext(sys.stdout) as file:
        writer = csv.writer(file, lineterminator="\n")
        for number, block in enumerate(blocks):
            if not number:
                writer.writerow(_header(block))
            writer.writerows(zip(*_columns(block), strict=True))
    return 0


def is_model(name: str) -> bool:
    """Return True if a file's name is that of a model."""
    return MODEL_FILES.fullmatch(name) is not None


def show_models(names: Sequence[str], *, as_json: bool) -> int:
    """Print the facts about models, for ``inspect``."""
    facts = [{"file": name, **_facts(_loaded(name, None, None))} for name in names]
    if as_json:
        print_json(facts[0] if len(facts) == 1 else facts)
        return 0
    for entry in facts:
        output().print(entry.pop("file"), markup=False, soft_wrap=True)
        table = Table("", "", box=None, show_header=False)
        for name, value in entry.items():
            table.add_row(name.replace("_", " "), str(value))
        output().print(table)
    return 0


def _facts(model: LocalModel) -> dict[str, Any]:
    from amazon_estimators.inference.models import TopicTable  # noqa: PLC0415 - numpy is slow to import

    facts = {"algorithm": model.algorithm, **model.describe(), "assumptions": [*model.assumptions]}
    if isinstance(model, TopicTable):
        facts["top_words"] = model.top_words(5)
    return facts


def _loaded(name: str, algorithm: str | None, predictor_type: str | None) -> LocalModel:
    """Load a model. Print assumptions about its container to standard error."""
    from amazon_estimators.inference import load_model  # noqa: PLC0415 - numpy is slow to import

    try:
        return _told(lambda: load_model(name, algorithm, predictor_type=predictor_type))
    except ModelError as error:
        raise ModelError(f"{name}: {error.message}", remedy=error.remedy) from error


def _told(load: Callable[[], LocalModel]) -> LocalModel:
    from amazon_estimators.inference import ModelWarning  # noqa: PLC0415 - numpy is slow to import

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ModelWarning)
        model = load()
    for warning in told:
        errors().print(f"Assumed: {warning.message}", markup=False, soft_wrap=True, style="yellow")
    return model


def _rows(points: Path, source: Source, *, every_row: bool) -> Iterator[Any]:
    """Yield the rows of a file as blocks of features, read as a pipeline reads its input.

    ``every_row`` is True if no row may be left out.
    """
    from amazon_estimators.algorithms import KMeans  # noqa: PLC0415 - slow to import, not for --help
    from amazon_estimators.client.local_encoding import encode_files  # noqa: PLC0415
    from amazon_estimators.recordio import read_matrix  # noqa: PLC0415
    from amazon_estimators.sources.gaps import every_row_stays  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder, every_row_stays() if every_row else nullcontext():
        # KMeans accepts any vectors: labels or none, sparse or dense. The features are the same for all.
        encode_files(
            [points],
            Path(folder) / "rows",
            KMeans,
            channel="train",
            source=source,
            instance_count=1,
            target_shard_bytes=SHARD_BYTES,
            prefix="s3://bucket/",
            progress=lambda done, total: None,
        )
        for shard in sorted((Path(folder) / "rows").glob("*.pbr")):
            yield read_matrix(shard)[0]


def _header(block: Predictions) -> list[str]:
    """Return the names of the CSV columns: a field's name, or field_0, field_1 … for a list."""
    names: list[str] = []
    for name, column in block.items():
        names += [name] if column.ndim == 1 else [f"{name}_{number}" for number in range(column.shape[1])]
    return names


def _columns(block: Predictions) -> list[list[Any]]:
    # As text, because float32 has a shorter decimal form than the same number as a Python float.
    columns: list[list[Any]] = []
    for column in block.values():
        columns += [values.astype(str).tolist() for values in (column.T if column.ndim > 1 else [column])]
    return columns
