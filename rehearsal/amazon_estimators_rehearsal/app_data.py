"""Choose the pipelines of a user's own app that a rehearsal trains, and the data of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from amazon_estimators.client.pipeline import PipelineEstimator
from amazon_estimators.errors import RequestError
from amazon_estimators.sources import Source
from amazon_estimators_rehearsal.samples import SAMPLES, Sample, own

NO_PIPELINE = "Add a TrainingPipeline to a stack of the app: docs/pipeline.md shows one in fifteen lines."


def check_data(given: Sequence[str]) -> None:
    """Raise FileNotFoundError for a ``--data`` that is not there, before anything is started."""
    for text in given:
        path = text.partition("=")[2] or text
        if not Path(text).exists() and not Path(path).exists():
            raise FileNotFoundError(f"There is no file or directory at {path}.")


def data_of(
    pipelines: Sequence[PipelineEstimator], given: Sequence[str], directory: Path
) -> list[tuple[PipelineEstimator, Sample]]:
    """Return the pipelines to train, each with its data.

    Args:
        pipelines: Those of the deployed app.
        given: Values of ``--data``: one path, or ``PIPELINE=PATH`` for each of several pipelines. If there is
            none, every pipeline is trained on the sample of its algorithm.
        directory: Samples are written here.

    Raises:
        RequestError: There is no pipeline, a name is not that of one, or a pipeline has no data.
        FileNotFoundError: There is no data file.
    """
    if not pipelines:
        raise RequestError("the app's stacks hold no TrainingPipeline", remedy=NO_PIPELINE)
    if not given:
        return [(pipeline, sample_of(pipeline, directory)) for pipeline in pipelines]
    paths = dict(_named(text, pipelines) for text in given)
    return [
        (pipeline, own(paths[pipeline.name], type(pipeline.algorithm)))
        for pipeline in pipelines
        if pipeline.name in paths
    ]


def _named(text: str, pipelines: Sequence[PipelineEstimator]) -> tuple[str, Path]:
    """Return a pipeline's name and its data, from ``PATH`` or ``PIPELINE=PATH``."""
    names = [pipeline.name for pipeline in pipelines]
    name, equals, path = text.partition("=")
    if Path(text).exists() or not equals:  # a Hive partition, such as year=2026, is a path too
        if len(names) > 1:
            raise RequestError(
                f"the app has {len(names)} pipelines: {', '.join(names)}",
                remedy=f"Say whose data it is: --data {names[0].rpartition('/')[2]}={text}",
            )
        return names[0], Path(text)
    fitting = [one for one in names if name in (one, one.rpartition("/")[2])]
    if len(fitting) != 1:
        raise RequestError(
            f"--data {text}: {len(fitting)} pipelines are named {name}; the app has {', '.join(names)}",
            remedy="Name one of them by its path.",
        )
    return fitting[0], Path(path)


def sample_of(pipeline: PipelineEstimator, directory: Path) -> Sample:
    """Return the sample of the pipeline's algorithm, as far as the pipeline has channels for it.

    Raises:
        RequestError: The pipeline reads other columns, or channels that the sample lacks.
    """
    sample = SAMPLES[pipeline.settings["algorithm"]](directory)
    channels: Mapping[str, Any] = pipeline.settings["channels"]
    if not all(name in sample.files and _reads(channels[name], sample, name) for name in channels):
        raise RequestError(
            f"{pipeline.name} does not read the sample of {pipeline.settings['algorithm']}: "
            "its channels or their options are others",
            remedy=f"Give it data of its own: --data {pipeline.name.rpartition('/')[2]}=PATH, a file, or a "
            f"directory with the folders {', '.join(channels)}.",
        )
    return replace(sample, files={name: sample.files[name] for name in channels})


def _reads(channel: Mapping[str, Any], sample: Sample, name: str) -> bool:
    """Return True if a channel reads its files as the sample's is to be read. Prefixes do not matter."""
    source = replace(Source.from_dict(channel), prefix=None)
    return source == Source.from_dict(dict(sample.sources.get(name, {})))
