"""Whether what stands there looks as planned: one check each, with what was seen and wanted."""

from collections.abc import Sequence

from delivery.canary.verdict import Verdict
from delivery.check import Check
from delivery.plan import PartPlan, Phase, StepAction
from delivery.rollback.serving import describe_revision
from delivery.rollout.conditions import why_not_ready_to_start
from delivery.rollout.snapshot import RolloutSnapshot
from delivery.rollout.weights import WeightSource, why_not_weight

ONE_REVISION = "healthy, one revision"


def judge_part(phase: Phase, part: PartPlan) -> Check:
    """A part is as planned when planning it again finds nothing to do; what cannot be planned is not as planned."""
    different = [f"{step.name}: {step.action}" for step in part.steps if step.action is not StepAction.NOTHING]
    seen = "; ".join([*part.refusals, *different]) or f"{len(part.steps)} as planned"
    seen = "; ".join([seen, *(f"besides {finding.rstrip('.')}" for finding in part.findings)])
    verdict = Verdict.PASS if part.steps and not (part.refusals or different) else Verdict.FAIL
    return Check(name=phase.lower(), verdict=verdict, seen=seen, wanted="nothing to do")


def judge_rollout(snapshot: RolloutSnapshot | None, weight_sources: Sequence[WeightSource] = ()) -> Check:
    """Healthy with one revision that serves all traffic; a rollout that is not there is not healthy.

    weight_sources: of an existing Rollout; each states the weight of the other revision.
    """
    if snapshot is None:
        return Check(name="rollout", verdict=Verdict.FAIL, seen="there is none", wanted=ONE_REVISION)
    why_not = why_not_ready_to_start(snapshot) or why_not_weight(weight_sources, 0)
    verdict = Verdict.FAIL if why_not else Verdict.PASS
    seen = why_not or f"healthy, pods {snapshot.stable_hash} serve all traffic"
    return Check(name="rollout", verdict=verdict, seen=seen, wanted=ONE_REVISION)


def judge_unfinished(environment: str, snapshot: RolloutSnapshot, release: int | None) -> Check:
    """A canary that stands still, with the ways on from there. release: that made it; None where no journal tells."""
    whose = f"release {release}'s canary" if release is not None else "a canary"
    named = describe_revision(snapshot.current) if snapshot.current else snapshot.current_hash
    stands = (
        "which was aborted and is still the Rollout's template" if snapshot.is_abort_asked else "and nobody moves it"
    )
    seen = f"{snapshot.canary_weight_percent} % of the traffic at {whose}, {named}, {stands}"
    advice = describe_next_commands(environment, snapshot)
    return Check(name="rollout", verdict=Verdict.FAIL, seen=seen, wanted=ONE_REVISION, advice=advice)


def describe_next_commands(environment: str, snapshot: RolloutSnapshot) -> str:
    """The commands that bring a canary which stands still on or back."""
    stable, digest = snapshot.stable, snapshot.current.artifact_digest if snapshot.current else ""
    ways = [
        f"slipway release {environment} --digest {digest} goes on with it" if digest else "",
        f"slipway rollback {environment} --revision {stable.revision} takes it back" if stable else "",
    ]
    return ", ".join(way for way in (ways[1:] if snapshot.is_abort_asked else ways) if way)


def judge_answer(name: str, url: str, status: int | None) -> Check:
    """An address answers 200 or it does not; status None: no answer at all."""
    verdict = Verdict.PASS if status == 200 else Verdict.FAIL
    return Check(
        name=name, verdict=verdict, seen=f"HTTP {status}" if status else "no answer", wanted=f"HTTP 200 from {url}"
    )
