"""What fits a model in an algorithm's place, by algorithm name.

One that is missing here has no honest stand-in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from amazon_estimators.algorithms import Algorithm
from amazon_estimators_rehearsal.sagemaker.engines import kmeans
from amazon_estimators_rehearsal.sagemaker.engines.fitted import Fitted as Fitted
from amazon_estimators_rehearsal.sagemaker.records import Records

Engine = Callable[[Algorithm, Mapping[str, Records]], Fitted]
"""Takes the hyperparameters and the records of each channel. Raises ValueError for data it cannot fit."""

ENGINES: Mapping[str, Engine] = MappingProxyType({"KMeans": kmeans.fit})
