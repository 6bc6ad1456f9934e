"""What fits a model in an algorithm's place, by algorithm name. One that is missing here has no honest stand-in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from amazon_estimators.algorithms import Algorithm

from ..records import Records
from . import kmeans
from .fitted import Fitted as Fitted

Engine = Callable[[Algorithm, Mapping[str, Records]], Fitted]
"""Takes the hyperparameters and the records of each channel. Raises ValueError for data it cannot fit."""

ENGINES: Mapping[str, Engine] = MappingProxyType({"KMeans": kmeans.fit})
