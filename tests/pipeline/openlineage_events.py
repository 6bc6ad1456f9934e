"""Read a lineage event into the classes of OpenLineage's own client, which are generated from its schemas.

The client writes ``schemaURL`` and ``_schemaURL`` itself: an event that it serialises as it was read is of
the versions that it names. Members that a class does not have are refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from cattrs import BaseValidationError, Converter, transform_error
from openlineage.client.event_v2 import RunEvent
from openlineage.client.facet_v2 import (
    BaseFacet,
    DatasetFacet,
    JobFacet,
    RunFacet,
    dataset_type_dataset,
    dataset_version_dataset,
    documentation_job,
    error_message_run,
    job_type_job,
    nominal_time_run,
)
from openlineage.client.serde import Serde

from amazon_estimators.pipeline.lineage import OWN_FACET

FACETS: Mapping[type[BaseFacet], Mapping[str, type[BaseFacet]]] = {
    RunFacet: {
        "nominalTime": nominal_time_run.NominalTimeRunFacet,
        "errorMessage": error_message_run.ErrorMessageRunFacet,
    },
    JobFacet: {
        "jobType": job_type_job.JobTypeJobFacet,
        "documentation": documentation_job.DocumentationJobFacet,
    },
    DatasetFacet: {
        "version": dataset_version_dataset.DatasetVersionDatasetFacet,
        "datasetType": dataset_type_dataset.DatasetTypeDatasetFacet,
    },
}
"""The facets of runs, jobs and datasets that are used, by their name in the specification."""
CONVERTER = Converter(forbid_extra_keys=True)


def problems(event: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with an event; nothing if the client would have written it the same."""
    try:
        read = CONVERTER.structure(_without_schemas(event), RunEvent)
    except BaseValidationError as error:
        return transform_error(error)
    for source in read.inputs or ():
        source.inputFacets = source.inputFacets or None  # which the client would write as an empty object
    for output in read.outputs or ():
        output.outputFacets = output.outputFacets or None
    return [*_differences(event, Serde.to_dict(read), "$"), *_formats(read)]


def _without_schemas(event: Mapping[str, Any]) -> Any:
    def without(members: dict[str, Any]) -> dict[str, Any]:
        return {name: members[name] for name in members.keys() - {"schemaURL", "_schemaURL"}}

    return json.loads(json.dumps(event), object_hook=without)


def _register(kind: type[BaseFacet]) -> None:
    """Have the facets of runs, jobs or datasets read by their names."""

    def read(facets: Mapping[str, Any], _: Any) -> dict[str, BaseFacet]:
        return {name: _facet(kind, name, facet) for name, facet in facets.items()}

    held: Any = dict[str, kind] | None  # type: ignore[valid-type]
    CONVERTER.register_structure_hook_func(lambda wanted: wanted == held, read)


for _kind in FACETS:
    _register(_kind)


def _facet(kind: type[BaseFacet], name: str, facet: Mapping[str, Any]) -> BaseFacet:
    if kind is RunFacet and name == OWN_FACET:
        own = {member: value for member, value in facet.items() if member != "_producer"}
        return RunFacet(producer=facet["_producer"]).with_additional_properties(**own)
    return CONVERTER.structure(facet, FACETS[kind][name])


def _differences(event: Any, read: Any, where: str) -> list[str]:
    if not isinstance(event, dict) or not isinstance(read, dict):
        return [] if event == read else [f"{where} is {event!r}, the client's is {read!r}"]
    return [
        *(
            f"{where}.{name} is in only one of the event and the client's"
            for name in sorted(event.keys() ^ read.keys())
        ),
        *(
            problem
            for name in sorted(event.keys() & read.keys())
            for problem in _differences(event[name], read[name], f"{where}.{name}")
        ),
    ]


def _formats(event: RunEvent) -> list[str]:
    """Return what is wrong by the formats of the specification, of which the client checks less."""
    nominal: Any = (event.run.facets or {}).get("nominalTime")
    times = [event.eventTime, *([nominal.nominalStartTime] if nominal else [])]
    return [
        *(f"{time!r} has no offset" for time in times if datetime.fromisoformat(time).tzinfo is None),
        *(f"{uri!r} is no URI" for uri in [event.producer] if not urlsplit(uri).scheme),
    ]
