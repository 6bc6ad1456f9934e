"""Sort the keywords of the SDK's constructor: settings, hyperparameters, and features this library lacks."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from amazon_estimators.client.job_settings import JobSettings
from amazon_estimators.errors import RequestError
from amazon_estimators.hyperparameters.other_names import OTHER_NAMES
from amazon_estimators.sdk.renamed import with_new_names
from amazon_estimators.text import nearest

OFF: Mapping[str, tuple[object, ...]] = {
    "code_channel_name": ("code", None),
    "code_location": (None,),
    "code_uri": (None,),
    "collection_configs": (None, []),
    "container_arguments": (None, []),
    "container_entry_point": (None, []),
    "container_log_level": (logging.INFO, None),
    "debugger_hook_config": (None, False),
    "debugger_rule_configs": (None, []),
    "dependencies": (None, []),
    "disable_output_compression": (False, None),
    "disable_profiler": (None, True, False),
    "enable_infra_check": (None, False),
    "enable_remote_debug": (None, False),
    "enable_session_tag_chaining": (None, False),
    "entry_point": (None,),
    "git_config": (None, {}),
    "instance_groups": (None, []),
    "instance_placement_config": (None, {}),
    "model_channel_name": ("model", None),
    "model_uri": (None,),
    "profiler_config": (None,),
    "profiler_rule_configs": (None, []),
    "rules": (None, []),
    "source_dir": (None,),
    "tensorboard_output_config": (None,),
    "training_plan": (None,),
    "training_repository_access_mode": (None, "Platform"),
    "training_repository_credentials_provider_arn": (None,),
}
"""Settings of the SDK for features this library lacks: the default, and other values that mean "off"."""

ATTRIBUTES = ("role", "instance_count", "instance_type")
SETTINGS = {"data_location", "session", "image_uri", *JobSettings.__dataclass_fields__}


def sorted_keywords(
    owner: str, given: Mapping[str, Any], hyperparameter_names: Iterable[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the settings of the estimator, and the hyperparameters.

    None means the default. Raises RequestError for a name that is neither, with a suggestion.
    """
    names = set(hyperparameter_names)
    settings: dict[str, Any] = dict.fromkeys(ATTRIBUTES)
    hyperparameters: dict[str, Any] = {}
    unknown = []
    for name, value in with_new_names(given).items():
        if name == "sagemaker_session":
            settings["session"] = given.get("session") or value
        elif name == "hyperparameters" and (value is None or isinstance(value, Mapping)):
            hyperparameters.update(value or {})
        elif name in settings or name in SETTINGS:
            settings[name] = value
        elif name in names:
            hyperparameters[name] = value
        elif name not in OFF:
            near = nearest(name, [*ATTRIBUTES, *SETTINGS, *names], others=OTHER_NAMES)
            unknown.append(f"{name!r}" + (f" (did you mean {near!r}?)" if near else ""))
        elif value not in OFF[name]:
            unknown.append(f"{name}={value!r} (leave it out: this library does not do that)")
    if unknown:
        raise RequestError(f"{owner} takes no {', '.join(unknown)}")
    kept = {name: value for name, value in settings.items() if value is not None or name in ATTRIBUTES}
    return kept, hyperparameters
