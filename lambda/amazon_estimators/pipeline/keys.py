"""Name every key that a pipeline reads and writes on S3, once for its steps and for their IAM statements.

``prefix`` is the pipeline's: empty, or ending with a slash. ``root`` is the prefix of one RecordSet with all
its channels. The constructs call the same functions with ``"*"`` (:data:`ANY`) for variable parts:

    <prefix>input/<channel>/                                   uploaded by users
    <prefix>datasets/<version>.jsonl.gz, last_trained.json, current_model.json, last_tuned.json,
                     trainings.json
    <prefix>lineage/<attempt>.json
    <prefix>triggers/state.json, attempts.json
    <prefix>recordsets/<fingerprint>/plan.json, pieces.jsonl
                                     executions/<attempt>/shards.jsonl
                                     receipts/<channel>/<shard>/<receipt>
                                     profiles/<channel>/<shard>.json
                                     group_profiles/<channel>/<group>.json
                                     failures/<attempt>/<shard>.json
                                     <channel>/                see record_sets/keys.py
    <prefix>recordsets/plans/<asked>.json
    <prefix>models/<job>/output/model.tar.gz, metrics.json, report.html
                   <tuning job>/leaderboard.csv
    <prefix>captures/<endpoint>/<variant>/<year>/<month>/<day>/<hour>/…   written by SageMaker
"""

from __future__ import annotations

ANY = "*"

INPUT = "input/"
DATA_SETS = "datasets/"
LINEAGE = "lineage/"
TRIGGERS = "triggers/"
RECORD_SETS = "recordsets/"
MODELS = "models/"
CAPTURES = "captures/"

DATA_SET_EXTENSION, PLAIN_DATA_SET_EXTENSION = ".jsonl.gz", ".jsonl"
LAST_TRAINED = "last_trained.json"
CURRENT_MODEL = "current_model.json"
LAST_TUNED = "last_tuned.json"
METRICS = "metrics.json"
REPORT = "report.html"
TRAININGS = "trainings.json"
LEADERBOARD = "leaderboard.csv"
STATE = "state.json"
ATTEMPTS = "attempts.json"
PLAN = "plan.json"
PIECES = "pieces.jsonl"
KNOWN_PLANS = "plans/"
EXECUTIONS = "executions/"
ITEMS = "shards.jsonl"
RECEIPTS = "receipts/"
PROFILES = "profiles/"
GROUP_PROFILES = "group_profiles/"
FAILURES = "failures/"

SHARDS_OF_GROUP = 100
"""Their numbers differ in the last two digits, so one prefix lists what a whole group has written."""


def input_prefix(prefix: str, channel: str = "") -> str:
    """Return the prefix of a channel's input; without a channel, that of all channels."""
    return f"{prefix}{INPUT}{channel}/" if channel else f"{prefix}{INPUT}"


def data_sets_prefix(prefix: str) -> str:
    """Return the prefix of the frozen data sets and of the record of the last one trained."""
    return f"{prefix}{DATA_SETS}"


def data_set_key(prefix: str, version: str) -> str:
    """Return the key of the list of a data set's objects, one per line, in gzip."""
    return f"{data_sets_prefix(prefix)}{version}{DATA_SET_EXTENSION}"


def plain_data_set_key(prefix: str, version: str) -> str:
    """Return the key of a list that an earlier release wrote: still read, no longer written."""
    return f"{data_sets_prefix(prefix)}{version}{PLAIN_DATA_SET_EXTENSION}"


def last_trained_key(prefix: str) -> str:
    """Return the key of the record of the training that ended last. It is for users: no step reads it."""
    return f"{data_sets_prefix(prefix)}{LAST_TRAINED}"


def current_model_key(prefix: str) -> str:
    """Return the key of the record of the model in use: the newest that was good enough."""
    return f"{data_sets_prefix(prefix)}{CURRENT_MODEL}"


def last_tuned_key(prefix: str) -> str:
    """Return the key of the record of the tuning job that the next one may start from."""
    return f"{data_sets_prefix(prefix)}{LAST_TUNED}"


def trainings_key(prefix: str) -> str:
    """Return the key of what is kept of the last trainings, for the page about the next one."""
    return f"{data_sets_prefix(prefix)}{TRAININGS}"


def lineage_key(prefix: str, attempt: str) -> str:
    """Return the key of the lineage of one attempt of an execution, as an OpenLineage run event."""
    return f"{prefix}{LINEAGE}{attempt}.json"


def triggers_prefix(prefix: str) -> str:
    """Return the prefix of the starter's state."""
    return f"{prefix}{TRIGGERS}"


def state_key(prefix: str) -> str:
    """Return the key of the starter's state."""
    return f"{triggers_prefix(prefix)}{STATE}"


def attempts_key(prefix: str) -> str:
    """Return the key of the record of how often the starter has tried its present message."""
    return f"{triggers_prefix(prefix)}{ATTEMPTS}"


def record_sets_prefix(prefix: str) -> str:
    """Return the prefix of all RecordSets of a pipeline."""
    return f"{prefix}{RECORD_SETS}"


def record_set_root(prefix: str, fingerprint: str) -> str:
    """Return the prefix of one RecordSet, the ``root`` of the functions below."""
    return f"{record_sets_prefix(prefix)}{fingerprint}/"


def channel_root(root: str, channel: str) -> str:
    """Return the prefix of one channel's shards, facts and manifest."""
    return f"{root}{channel}/"


def known_plan_key(prefix: str, asked: str) -> str:
    """Return the key of the record of which RecordSet a known combination of data set and settings has."""
    return f"{record_sets_prefix(prefix)}{KNOWN_PLANS}{asked}.json"


def models_prefix(prefix: str) -> str:
    """Return the prefix to which training jobs write their models."""
    return f"{prefix}{MODELS}"


def captures_prefix(prefix: str) -> str:
    """Return the prefix, in the model bucket, of what endpoints are asked and answer."""
    return f"{prefix}{CAPTURES}"


def metrics_key(prefix: str, job: str) -> str:
    """Return the key of a trained model's metrics, in the model bucket."""
    return f"{models_prefix(prefix)}{job}/{METRICS}"


def report_key(prefix: str, job: str) -> str:
    """Return the key of the page about a training, in the model bucket."""
    return f"{models_prefix(prefix)}{job}/{REPORT}"


def leaderboard_key(prefix: str, tuning_job: str) -> str:
    """Return the key of the trainings of a tuning job, best first, in the model bucket."""
    return f"{models_prefix(prefix)}{tuning_job}/{LEADERBOARD}"


def plan_key(root: str) -> str:
    """Return the key of the plan."""
    return f"{root}{PLAN}"


def pieces_key(root: str) -> str:
    """Return the key of the input pieces of each shard, one line per shard."""
    return f"{root}{PIECES}"


def items_key(root: str, attempt: str) -> str:
    """Return the key of the items of one attempt's Map.

    Each attempt has its own, so no other execution can replace them while a Map reads them.
    """
    return f"{root}{EXECUTIONS}{attempt}/{ITEMS}"


def receipts_prefix(root: str, channel: str, shard: int | None = None) -> str:
    """Return the prefix of a channel's receipts, or of one shard's.

    A shard has several receipts if it was encoded again under another ETag.
    """
    return f"{root}{RECEIPTS}{channel}/" + ("" if shard is None else f"{shard:05d}/")


def group_of(shard: int) -> int:
    """Return the number of a shard's group in its channel.

    Example:
        >>> group_of(1299)
        12
    """
    return shard // SHARDS_OF_GROUP


def receipts_of_group_prefix(root: str, channel: str, group: int) -> str:
    """Return the prefix of a group's receipts. With more than 100,000 shards, others may have it too.

    Example:
        >>> receipts_of_group_prefix("r/", "train", 12)
        'r/receipts/train/012'
    """
    return f"{receipts_prefix(root, channel)}{group:03d}"


def shard_profiles_prefix(root: str, channel: str) -> str:
    """Return the prefix of the profiles of a channel's shards."""
    return f"{root}{PROFILES}{channel}/"


def shard_profile_key(root: str, channel: str, shard: int) -> str:
    """Return the key of the profile of one shard's features."""
    return f"{shard_profiles_prefix(root, channel)}{shard:05d}.json"


def shard_profiles_of_group_prefix(root: str, channel: str, group: int) -> str:
    """Return the prefix of the profiles of a group's shards; others may have it too, as with receipts."""
    return f"{shard_profiles_prefix(root, channel)}{group:03d}"


def group_profiles_prefix(root: str, channel: str) -> str:
    """Return the prefix of the profiles of a channel's groups."""
    return f"{root}{GROUP_PROFILES}{channel}/"


def group_profile_key(root: str, channel: str, group: int) -> str:
    """Return the key of the profile of a group's features."""
    return f"{group_profiles_prefix(root, channel)}{group:03d}.json"


def failures_prefix(root: str, attempt: str) -> str:
    """Return the prefix of the failures of one attempt: an old failure never explains a new one."""
    return f"{root}{FAILURES}{attempt}/"


def failure_key(root: str, attempt: str, shard: int) -> str:
    """Return the key of the failure of one shard."""
    return f"{failures_prefix(root, attempt)}{shard:05d}.json"
