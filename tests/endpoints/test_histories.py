"""Executions that overlap, are retried and redriven, in any order: the endpoint ends on the newest model."""

from __future__ import annotations

from typing import Any

from fake_sagemaker import SETTINGS, FakeSageMaker
from hypothesis import given, settings
from hypothesis import strategies as st

from amazon_estimators.errors import EndpointError, ServiceError
from amazon_estimators.serving.clean import KEPT, clean
from amazon_estimators.serving.deploy import NOTHING, ROLLED_BACK, SERVED, WAITING, deploy


class Execution:
    """An execution of the endpoint's state machine, one state at a time.

    Attributes:
        told: How it ended; None while it runs.
    """

    def __init__(self, sagemaker: FakeSageMaker, silent: set[str]) -> None:
        self.sagemaker, self.silent = sagemaker, silent
        self.attempt: dict[str, Any] = {}
        self.state, self.redrive = "Deploy", 0
        self.told: str | None = None

    def step(self) -> None:
        """Run one state. A call that fails leaves the state as it was: it is retried, or redriven."""
        try:
            getattr(self, f"_{self.state.lower()}")()
        except ServiceError:
            self.redrive += 1
        except EndpointError:
            self.told = "failed"

    def _deploy(self) -> None:
        self.attempt = deploy(None, self.sagemaker, SETTINGS, self.attempt, self.redrive)
        phase = self.attempt["phase"]
        self.state = {WAITING: "Deploy", SERVED: "Smoke", ROLLED_BACK: "Clean", NOTHING: "Done"}[phase]
        if phase == NOTHING:
            self.told = "nothing"

    def _smoke(self) -> None:
        refused = "no answer" if self.attempt["model"]["model"] in self.silent else None
        self.attempt = {**self.attempt, "refused": refused}
        self.state = "Deploy" if refused else "Clean"

    def _clean(self) -> None:
        clean(None, self.sagemaker, SETTINGS)
        self.told = self.attempt["phase"]


class World:
    """A pipeline that trains, and an endpoint that follows."""

    def __init__(self) -> None:
        self.sagemaker = FakeSageMaker()
        self.silent: set[str] = set()
        self.executions: list[Execution] = []

    def train(self, fate: str = "good") -> None:
        model = self.sagemaker.train()
        {"good": set(), "bad": self.sagemaker.bad, "silent": self.silent}[fate].add(model)
        self.executions.append(Execution(self.sagemaker, self.silent))

    @property
    def running(self) -> list[Execution]:
        return [one for one in self.executions if one.told is None]

    def settle(self) -> None:
        """Let everything end."""
        self.sagemaker.lost = []
        for _ in range(200):
            for execution in self.running:
                execution.step()
            self.sagemaker.advance()
            if not self.running:
                return
        raise AssertionError("it never ends")

    def check(self) -> None:
        """What holds of a world that has settled."""
        made = self.sagemaker.made
        used = {config["ProductionVariants"][0]["ModelName"] for config in made["endpoint_config"].values()}
        if any(one.told in (SERVED, ROLLED_BACK) for one in self.executions[-1:]):
            assert len(made["endpoint_config"]) <= KEPT + 1
            assert len(set(made["model"]) - used) <= KEPT, "models without a configuration pile up"
        data = [one["PrimaryContainer"]["ModelDataUrl"] for one in made["model"].values()]
        assert len(set(data)) == len(data), "a model was made twice"


@given(
    events=st.lists(
        st.one_of(
            st.just(("train", "good")),
            st.tuples(st.just("step"), st.integers(0, 3)),
            st.just(("advance", 0)),
            st.tuples(st.just("lose"), st.sampled_from(["before", "after"])),
            st.just(("again", 0)),
        ),
        max_size=40,
    )
)
@settings(max_examples=1500)
def test_it_ends_with_the_newest_model(events: list[tuple[str, Any]]) -> None:
    world = World()
    for what, value in events:
        if what == "train":
            world.train()
        elif what == "step" and world.running:
            world.running[value % len(world.running)].step()
        elif what == "advance":
            world.sagemaker.advance()
        elif what == "lose":
            world.sagemaker.lost.append(value)
        elif what == "again":  # EventBridge delivers twice
            world.executions.append(Execution(world.sagemaker, world.silent))
    world.settle()
    models = world.sagemaker.models
    assert world.sagemaker.serving == (models[-1] if models else None)
    world.check()


@given(
    fates=st.lists(st.sampled_from(["good", "bad", "silent"]), min_size=1, max_size=6),
    lost=st.lists(st.sampled_from(["", "before", "after"]), max_size=12),
)
@settings(max_examples=600)
def test_a_model_that_does_not_serve_leaves_the_last_good_one(fates: list[str], lost: list[str]) -> None:
    """One after the other, with answers that get lost."""
    world = World()
    expected = None
    for fate in fates:
        world.train(fate)
        world.sagemaker.lost = [*lost]
        for _ in range(60):
            for execution in world.running:
                execution.step()
            world.sagemaker.advance()
        world.settle()
        expected = world.sagemaker.models[-1] if fate == "good" else expected
        assert world.sagemaker.serving == expected
        told = world.executions[-1].told
        if fate == "good":
            assert told == SERVED
        elif fate == "silent" or expected is not None:
            assert told == ROLLED_BACK
        else:
            assert told == "failed"
        world.check()
