"""Fit a Random Cut Forest as Guha and others (2016) define it.

scikit-learn has none: its isolation forest picks the feature to cut uniformly, not by its range.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log2
from typing import Any

import numpy as np
import numpy.typing as npt

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.inference import Predictions
from amazon_estimators_rehearsal.sagemaker.checks.records import Records
from amazon_estimators_rehearsal.sagemaker.engines.fitted import Fitted

Matrix = npt.NDArray[np.float64]
DEVIATIONS = 3
"""AWS's rule: a record is an anomaly if its score is this many standard deviations above the mean score."""


@dataclass(frozen=True)
class Node:
    """A box of sampled records. ``feature`` and ``cut`` divide it in two; they are None in a leaf."""

    mass: int
    low: Matrix
    high: Matrix
    feature: int = 0
    cut: float = 0.0
    below: Node | None = None
    above: Node | None = None


def fit(algorithm: Algorithm, channels: Mapping[str, Records]) -> Fitted:
    """Grow the forest on the train channel; score the test channel if there is one."""
    train = channels["train"].matrix().astype(np.float64)
    forest = grow(train, algorithm.effective("num_trees"), algorithm.effective("num_samples_per_tree"))
    usual = scores(forest, train)
    threshold = float(usual.mean() + DEVIATIONS * usual.std())
    metrics = {}
    if "test" in channels and "precision_recall_fscore" in algorithm.effective("eval_metrics"):
        anomalous = scores(forest, channels["test"].matrix().astype(np.float64)) > threshold
        metrics["test:f1"] = _f1(channels["test"].label_vector() == 1, anomalous)
    return Fitted(
        engine="numpy",
        metrics=metrics,
        model={
            "class": "random cut forest",
            "version": np.__version__,
            "mean_score": float(usual.mean()),
            "threshold": threshold,
        },
        arrays=arrays_of(forest),
    )


def grow(records: Matrix, trees: int, samples: int) -> list[Node]:
    """Grow trees, each on ``samples`` records drawn without replacement, or on all if there are fewer."""
    rng = np.random.default_rng(0)
    drawn = (rng.choice(len(records), min(samples, len(records)), replace=False) for _ in range(trees))
    return [_tree(records[rows], rng) for rows in drawn]


def scores(forest: list[Node], records: Matrix) -> Matrix:
    """Return each record's anomaly score, (records,), the mean over trees. Few cuts isolate an anomaly."""
    total = np.zeros(len(records))
    for tree in forest:
        _add_scores(tree, records, total)
    return total / len(forest)


@dataclass(frozen=True)
class Forest:
    """A forest that predicts anomaly scores."""

    trees: list[Node]

    @property
    def feature_dim(self) -> int:
        return len(self.trees[0].low)

    def predict(self, rows: Any) -> Predictions:
        return Predictions({"score": scores(self.trees, np.asarray(rows, np.float64))})


def arrays_of(forest: list[Node]) -> dict[str, npt.NDArray[Any]]:
    """Return the nodes as rows, parents before children. ``children`` holds row numbers, 0 in a leaf."""
    nodes: list[Node] = list(forest)
    children: list[tuple[int, int]] = []
    for node in nodes:  # the list grows during the loop
        if node.below is None or node.above is None:
            children.append((0, 0))
        else:
            children.append((len(nodes), len(nodes) + 1))
            nodes += [node.below, node.above]
    columns = {name: [getattr(node, name) for node in nodes] for name in ("mass", "feature", "cut")}
    return {
        **{name: np.array(column) for name, column in columns.items()},
        "low": np.array([node.low for node in nodes]),
        "high": np.array([node.high for node in nodes]),
        "children": np.array(children),
        "trees": np.array(len(forest)),
    }


def forest_of(arrays: Mapping[str, npt.NDArray[Any]]) -> Forest:
    """Rebuild the forest from the arrays of :func:`arrays_of`."""
    nodes: dict[int, Node] = {}
    for number in reversed(range(len(arrays["mass"]))):
        below, above = (nodes.pop(int(child)) if child else None for child in arrays["children"][number])
        nodes[number] = Node(
            int(arrays["mass"][number]),
            arrays["low"][number],
            arrays["high"][number],
            int(arrays["feature"][number]),
            float(arrays["cut"][number]),
            below,
            above,
        )
    return Forest([nodes[number] for number in range(int(arrays["trees"]))])


def _tree(records: Matrix, rng: np.random.Generator) -> Node:
    root: list[Node] = []
    low, high = records.min(axis=0), records.max(axis=0)
    spans = high - low
    if not spans.sum():
        return Node(len(records), low, high)
    ends = spans.cumsum()
    feature = min(
        int(np.searchsorted(ends, rng.uniform(0, ends[-1]), side="right")), int(spans.nonzero()[0][-1])
    )
    cut = float(rng.uniform(low[feature], high[feature]))
    under = records[:, feature] <= cut
    if under.all():  # rounding turned the draw into the upper end itself
        under = records[:, feature] < high[feature]
    root += [_tree(records[under], rng), _tree(records[~under], rng)]
    return Node(len(records), low, high, feature, cut, *root)


def _add_scores(tree: Node, records: Matrix, total: Matrix) -> None:
    """Walk all records down a tree together and add their scores to ``total``.

    A cut at this node might have separated a record outside its box. With that probability the record gets
    the score of this depth; with the remaining probability it continues down the tree.
    """
    scale = log2(tree.mass + 1)
    waiting: list[tuple[Node, int, npt.NDArray[np.intp], Matrix]] = [
        (tree, 0, np.arange(len(records)), np.ones(len(records)))
    ]
    while waiting:
        node, depth, rows, reached = waiting.pop()
        points = records[rows]
        outside = (np.maximum(node.low - points, 0) + np.maximum(points - node.high, 0)).sum(axis=1)
        apart = outside / np.maximum(outside + (node.high - node.low).sum(), np.finfo(np.float64).tiny)
        total[rows] += reached * apart * scale / (depth + 1)
        reached = reached * (1 - apart)
        if node.below is None or node.above is None:
            total[rows] += reached * scale / (depth + log2(node.mass + 1))
            continue
        under = points[:, node.feature] <= node.cut
        for child, side in ((node.below, under), (node.above, ~under)):
            going = side & (reached > 0)
            if going.any():
                waiting.append((child, depth + 1, rows[going], reached[going]))


def _f1(truth: npt.NDArray[Any], predicted: npt.NDArray[Any]) -> float:
    hits = int((truth & predicted).sum())
    return 2 * hits / max(int(truth.sum()) + int(predicted.sum()), 1)
