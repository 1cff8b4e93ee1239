"""Whether what stands there looks as planned: one check each, with what was seen and wanted."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from delivery.plan import Action, PartPlan, Phase
from delivery.reading import Reading
from delivery.rollout import why_not_ready_to_start
from delivery.verdict import Verdict
from delivery.weights import Witness, why_not_weight

ONE_REVISION = "healthy, one revision"


class Check(BaseModel):
    """One yes/no after a release. seen and wanted: as the operator reads them."""

    model_config = ConfigDict(frozen=True)

    name: str
    verdict: Verdict
    seen: str
    wanted: str


def judge_part(phase: Phase, part: PartPlan) -> Check:
    """A part is as planned when planning it again finds nothing to do; what cannot be planned is not as planned."""
    different = [f"{step.name}: {step.action}" for step in part.steps if step.action is not Action.NOTHING]
    seen = "; ".join([*part.refusals, *different]) or f"{len(part.steps)} as planned"
    seen = "; ".join([seen, *(f"besides {finding.rstrip('.')}" for finding in part.findings)])
    verdict = Verdict.PASS if part.steps and not (part.refusals or different) else Verdict.FAIL
    return Check(name=phase.lower(), verdict=verdict, seen=seen, wanted="nothing to do")


def judge_rollout(reading: Reading | None, witnesses: Sequence[Witness] = ()) -> Check:
    """Healthy with one revision that serves all traffic; a rollout that is not there is not healthy.

    witnesses: of a Rollout that is there, what each says of the share that is not the revision's.
    """
    if reading is None:
        return Check(name="rollout", verdict=Verdict.FAIL, seen="there is none", wanted=ONE_REVISION)
    why_not = why_not_ready_to_start(reading) or why_not_weight(witnesses, 0)
    verdict = Verdict.FAIL if why_not else Verdict.PASS
    seen = why_not or f"healthy, pods {reading.stable_hash} serve all traffic"
    return Check(name="rollout", verdict=verdict, seen=seen, wanted=ONE_REVISION)


def judge_answer(name: str, url: str, status: int | None) -> Check:
    """An address answers 200 or it does not; status None: no answer at all."""
    verdict = Verdict.PASS if status == 200 else Verdict.FAIL
    return Check(
        name=name, verdict=verdict, seen=f"HTTP {status}" if status else "no answer", wanted=f"HTTP 200 from {url}"
    )


def cannot_tell(name: str, why: str, wanted: str) -> Check:
    """What could not be looked at has neither passed nor failed."""
    return Check(name=name, verdict=Verdict.INCONCLUSIVE, seen=why, wanted=wanted)


def sum_up(checks: Sequence[Check]) -> tuple[Verdict, str]:
    """The worst verdict of all checks and a sentence naming each that did not pass."""
    for verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE):
        found = [
            f"{check.name}: saw {check.seen}, wanted {check.wanted}" for check in checks if check.verdict is verdict
        ]
        if found:
            return verdict, f"{len(found)} of {len(checks)} checks {verdict}. " + ". ".join(found) + "."
    return Verdict.PASS, f"{len(checks)} of {len(checks)} checks pass."
