"""The decisions of the checks: each compares what was seen with what was wanted."""

from collections.abc import Sequence
from datetime import timedelta

from delivery.canary.verdict import Verdict
from delivery.check import Check
from delivery.plan import PartPlan, StepAction
from delivery.rollback.serving import describe_revision
from delivery.rollout.conditions import why_not_ready_to_start
from delivery.rollout.snapshot import RolloutSnapshot
from delivery.rollout.weights import WeightSource, why_not_weight

# What each check expects.
ONE_REVISION = "healthy, one revision"
TOPICS_AS_SPECIFIED = "each topic as specified"

# The guide checks once, 30 s after a change. A load balancer needs part of this time to register new targets.
ANSWER_DEADLINE = timedelta(seconds=30)


def judge_topics(part: PartPlan) -> Check:
    """PASS if a new plan of the topics has nothing to do. A plan that is refused, or has no steps, fails."""
    different = [f"{step.name}: {step.action}" for step in part.steps if step.action is not StepAction.NOTHING]
    seen = "; ".join([*part.refusals, *different]) or f"{len(part.steps)} as specified"
    seen = "; ".join([seen, *(f"also found: {finding.rstrip('.')}" for finding in part.findings)])
    verdict = Verdict.PASS if part.steps and not (part.refusals or different) else Verdict.FAIL
    return Check(name="topics", verdict=verdict, seen=seen, wanted=TOPICS_AS_SPECIFIED)


def judge_rollout(snapshot: RolloutSnapshot | None, weight_sources: Sequence[WeightSource] = ()) -> Check:
    """PASS if the Rollout is healthy and one revision has all traffic. A Rollout that does not exist fails.

    weight_sources: of an existing Rollout; each states the weight of the other revision.
    """
    if snapshot is None:
        return Check(name="rollout", verdict=Verdict.FAIL, seen="no Rollout", wanted=ONE_REVISION)
    why_not = why_not_ready_to_start(snapshot) or why_not_weight(weight_sources, 0)
    verdict = Verdict.FAIL if why_not else Verdict.PASS
    seen = why_not or f"healthy, pods with hash {snapshot.stable_hash} serve all traffic"
    return Check(name="rollout", verdict=verdict, seen=seen, wanted=ONE_REVISION)


def judge_unfinished(environment_name: str, snapshot: RolloutSnapshot, release: int | None) -> Check:
    """FAIL for a canary that no process judges, with commands to resume it or to roll it back.

    release: the one that created the canary; None if no journal shows it.
    """
    canary = f"the canary of release {release}" if release is not None else "a canary"
    revision = describe_revision(snapshot.current) if snapshot.current else snapshot.current_hash
    state = (
        "which was aborted and is still in the Rollout's template"
        if snapshot.is_abort_requested
        else "which no process judges"
    )
    seen = f"{canary} at weight {snapshot.canary_weight_percent} %: {revision}, {state}"
    advice = describe_next_commands(environment_name, snapshot)
    return Check(name="rollout", verdict=Verdict.FAIL, seen=seen, wanted=ONE_REVISION, advice=advice)


def describe_next_commands(environment_name: str, snapshot: RolloutSnapshot) -> str:
    """The commands that resume the canary or roll it back. An aborted canary can only be rolled back."""
    stable, digest = snapshot.stable, snapshot.current.artifact_digest if snapshot.current else ""
    can_resume = bool(digest) and not snapshot.is_abort_requested
    commands = [
        f"To resume it: slipway release {environment_name} --digest {digest}" if can_resume else "",
        f"To roll it back: slipway rollback {environment_name} --revision {stable.revision}" if stable else "",
    ]
    return ". ".join(command for command in commands if command)


def judge_answer(name: str, url: str, status: int | None) -> Check:
    """PASS if the URL answers HTTP 200. status: the last one; None if there was no response."""
    verdict = Verdict.PASS if status == 200 else Verdict.FAIL
    seen = f"HTTP {status}" if status else f"no response within {ANSWER_DEADLINE.total_seconds():.0f} s"
    return Check(name=name, verdict=verdict, seen=seen, wanted=expected_answer(url))


def expected_answer(url: str) -> str:
    return f"HTTP 200 from {url}"
