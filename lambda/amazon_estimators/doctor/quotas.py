"""Do the account's quotas hold what the pipeline asks for?"""

from __future__ import annotations

from collections.abc import Iterator

from amazon_estimators.client.asked_instances import Asked
from amazon_estimators.costs.prices import HOSTING, TRANSFORM
from amazon_estimators.doctor.finding import Finding, error, ok, warning
from amazon_estimators.doctor.patient import Patient

ASK = "Ask for more in the Service Quotas console (aws service-quotas request-service-quota-increase)"
ON_DEMAND, ON_SPOT, WARM_POOL = "training job usage", "spot training job usage", "training warm pool usage"
SCORING, SERVING = "transform job usage", "endpoint usage"
"""What the quotas of an instance type are named after, as in ``"ml.m5.large for training job usage"``."""


def instances(patient: Patient) -> Iterator[Finding]:
    """Compare the quota of every instance type with the instances of one training."""
    types, count = patient.instances
    kind = ON_SPOT if patient.job.get("EnableManagedSpotTraining") else ON_DEMAND
    quotas = _training_quotas(patient)
    wanted = count * patient.parallel_trainings
    for instance_type in types:
        name = f"{instance_type} for {kind}"
        quota = quotas.get(name)
        if quota is None:
            yield warning(
                f"{name}: Service Quotas lists no such quota",
                f"Check that {instance_type} exists in {patient.region}; look the quota up in the console.",
            )
        elif quota < count:
            yield error(
                f"{name}: {quota:g}; one training needs {count}",
                f"{ASK}, or deploy with a smaller instance_count or another instance_type.",
            )
        elif quota < wanted:
            yield warning(
                f"{name}: {quota:g}; a tuning job runs {patient.parallel_trainings} trainings of {count} "
                "at a time",
                f"{ASK}, or lower max_parallel_jobs of Tuning.",
            )
        else:
            yield ok(f"{name}: {quota:g}, {wanted} needed")


def warm_pool(patient: Patient) -> Iterator[Finding]:
    """Compare the quota of warm pools, which is 0 at first, with the instances that are to be kept.

    Without room for it the pool is not kept, and nothing fails:
    https://docs.aws.amazon.com/sagemaker/latest/dg/train-warm-pools-resource-limits.html
    """
    if not patient.keep_alive:
        return
    types, count = patient.instances
    quotas = _training_quotas(patient)
    for instance_type in types:
        name = f"{instance_type} for {WARM_POOL}"
        quota = quotas.get(name, 0.0)
        if quota < count:
            yield warning(
                f"{name}: {quota:g}; keep_alive wants {count}, and no instance is kept",
                f"{ASK}, or deploy without keep_alive.",
            )
        else:
            yield ok(f"{name}: {quota:g}, {count} needed")


def transforms(patient: Patient) -> Iterator[Finding]:
    """Compare the quota of transform jobs with the instances of each prediction pipeline of the pipeline."""
    for asked in patient.followers:
        if asked.use == TRANSFORM:
            yield _of_follower(
                patient,
                f"{asked.types[0]} for {SCORING}",
                asked,
                what=f"one scoring of {asked.name}",
                otherwise="deploy with a smaller instance_count or another instance_type",
            )


def endpoints(patient: Patient) -> Iterator[Finding]:
    """Compare the quota of endpoints with the most instances of each endpoint of the pipeline.

    The quota is of all endpoints of the account together, and a new model takes as many instances again while
    traffic moves to it: https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green.html
    """
    for asked in patient.followers:
        if asked.use == HOSTING:
            yield _of_follower(
                patient,
                f"{asked.types[0]} for {SERVING}",
                asked,
                what=f"endpoint {asked.name}",
                otherwise="deploy with fewer instances or another instance_type",
                twice="while traffic moves to a new model",
            )


def _of_follower(
    patient: Patient, name: str, asked: Asked, *, what: str, otherwise: str, twice: str = ""
) -> Finding:
    """Return the finding on one quota. ``twice`` says when the instances are needed a second time."""
    quota = _training_quotas(patient).get(name)
    if quota is None:
        return warning(
            f"{name}: Service Quotas lists no such quota",
            f"Check that {asked.types[0]} exists in {patient.region}; look the quota up in the console.",
        )
    if quota < asked.count:
        return error(f"{name}: {quota:g}; {what} needs {asked.count}", f"{ASK}, or {otherwise}.")
    if twice and quota < 2 * asked.count:
        return warning(
            f"{name}: {quota:g}; {what} needs {2 * asked.count} {twice}", f"{ASK}, or {otherwise}."
        )
    return ok(f"{name}: {quota:g}, {asked.count} needed by {what}")


def functions(patient: Patient) -> Iterator[Finding]:
    """Compare Lambda's concurrency with the shards that are encoded at a time."""
    client = patient.client("lambda")
    encode, wanted = patient.encode
    reserved = client.get_function_concurrency(FunctionName=encode).get("ReservedConcurrentExecutions")
    if reserved is None:
        limit = client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]
        what, raise_it = f"Lambda concurrency of the account without reservations: {limit}", ASK
    else:
        limit = reserved
        what, raise_it = f"reserved concurrency of Encode: {limit}", "Raise reserved_concurrency of Encode"
    if limit < 1:
        yield error(f"{what}; Encode never runs", f"{raise_it}.")
    elif limit < wanted:
        yield warning(
            f"{what}; max_concurrency is {wanted}: shards wait for one another",
            f"{raise_it}, or deploy with max_concurrency={limit} at most.",
        )
    else:
        yield ok(f"{what}, {wanted} needed")


def _training_quotas(patient: Patient) -> dict[str, float]:
    pages = (
        patient.client("service-quotas")
        .get_paginator("list_service_quotas")
        .paginate(ServiceCode="sagemaker")
    )
    return {quota["QuotaName"]: quota["Value"] for page in pages for quota in page["Quotas"]}
