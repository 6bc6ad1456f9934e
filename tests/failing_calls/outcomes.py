"""What comes of a call that is refused, and whether all is as it would have been."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from clients import HASTY, PATIENT, Clients
from fault_proxy import Call, Fault, FaultProxy
from outside_steps import DELETION
from steps import GOES_ON, Step
from wired_account import WiredAccount

RETRIED, DONE, ADOPTED, BELIEVED = "retried", "done", "adopted", "believed"
ADOPTS = ("DescribeTrainingJob", "DescribeHyperParameterTuningJob", "DescribeTransformJob")
"""Calls that states make beyond those of a task when they adopt a job."""
GOES_WITHOUT: Mapping[str, tuple[str, ...]] = {
    "AssociateRecordSet": ("artifacts", "associations"),
    "Report": ("report.html",),
    "Announce": ("told", "last_trained.json", "trainings.json", "current_model.json", "/lineage/"),
    "AnnounceFailure": ("told", "/lineage/"),
}
"""What may be missing after a step that goes on without a call that failed: its event says what."""
BELIEVED_TO_BE_GONE = ("endpoint", "models and configurations")
"""What stays when a stack is deleted and SageMaker says that it is not there."""


@dataclass(frozen=True)
class Outcome:
    """One case.

    Attributes:
        word: What the table says: how it is done, or the error's name.
        text: The error's text.
        wrong: What is not as it would have been, after the next run if this one failed.
    """

    word: str
    text: str = ""
    wrong: tuple[str, ...] = ()


@dataclass
class Cases:
    """Runs cases in one account."""

    account: WiredAccount
    proxy: FaultProxy
    clients: Clients

    def run(self, step: Step, call: Call, fault: Fault, times: float = 1) -> Outcome:
        """Run a step in which a call meets a fault; if it fails, once more without the fault."""
        self.account.restore(step.before)
        self.clients.wait(HASTY if fault is Fault.SILENT else PATIENT)
        self.proxy.refuse(call, fault, times)
        error = step.run(0)
        retried = self.proxy.calls.count(call) > step.calls[call]
        if error is None or error[0] == GOES_ON:
            return self._done(step, fault, error, retried=retried)
        self.clients.wait(PATIENT)
        self.proxy.clear()
        again = step.run(1)
        if again is not None and again[0] != GOES_ON:
            return Outcome(*error, (f"run again, {again[0]}: {again[1]}",))
        return Outcome(*error, tuple(differences(step.after, self.account.content())))

    def _done(self, step: Step, fault: Fault, error: tuple[str, str] | None, *, retried: bool) -> Outcome:
        wrong = differences(step.after, self.account.content())
        if not wrong:
            made = {made.operation for made in self.proxy.calls} - {made.operation for made in step.calls}
            return Outcome(ADOPTED if made & {*ADOPTS} else RETRIED if retried else DONE)
        text = error[1] if error else ""
        if fault is Fault.MISSING and step.name == DELETION and _only(wrong, BELIEVED_TO_BE_GONE):
            return Outcome(BELIEVED)
        without = _only(wrong, GOES_WITHOUT.get(step.name))
        return Outcome(GOES_ON, text, () if without else tuple(wrong))


def differences(expected: Mapping[str, str], held: Mapping[str, str]) -> list[str]:
    """Return what is not the same, each with its name and how it differs."""
    return [
        f"{name}: {_part(expected.get(name), held.get(name))}"
        for name in sorted({*expected, *held})
        if expected.get(name) != held.get(name)
    ]


def _only(wrong: list[str], allowed: tuple[str, ...] | None) -> bool:
    return all(any(part in one.partition(": ")[0] for part in allowed or ()) for one in wrong)


def _part(expected: str | None, held: str | None) -> str:
    """Return where two texts begin to differ."""
    if expected is None or held is None:
        return "missing" if held is None else "not there without the fault"
    at = next((n for n, (a, b) in enumerate(zip(expected, held, strict=False)) if a != b), 0)
    return f"{expected[max(0, at - 60) : at + 120]!r} became {held[max(0, at - 60) : at + 120]!r}"
