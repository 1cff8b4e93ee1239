"""The canary's verdict and what to do next: three answers, each with its reason and numbers."""

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from delivery.canary.counts import Counts, Slow, percent
from delivery.canary.evidence import Evidence, Policy
from delivery.canary.sequential import confidence_sequence, log_mixture
from delivery.canary.settings import OnInconclusive


class Verdict(StrEnum):
    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Analysis:
    """A verdict with its sentence, and what each arm counted in the step."""

    verdict: Verdict
    reason: str
    stable: Counts
    canary: Counts


class PauseAction(StrEnum):
    """ASK: a person decides. ADVANCE_BY_GUIDE: no proof, the guide's condition alone holds."""

    WAIT = "wait"
    ADVANCE = "advance"
    ADVANCE_BY_GUIDE = "advance by the guide's condition alone"
    ABORT = "abort"
    REVERT = "revert"
    ASK = "ask"


@dataclass(frozen=True)
class Move:
    """What to do with the pause, the analysis it rests on, and the line that the run says."""

    action: PauseAction
    analysis: Analysis
    line: str


def judge(evidence: Evidence, now: datetime) -> Analysis:
    """PASS and FAIL on proof; everything else is INCONCLUSIVE, which never promotes.

    Source: guide, "Automatic Rollback Trigger Conditions", for the success rate; docs/verdict.md for the rest.
    """
    verdict, reason = _conclude(evidence, now)
    return Analysis(verdict, reason, evidence.step_stable, evidence.step_canary)


def next_move(evidence: Evidence, now: datetime) -> Move:
    """Whether the pause ends: on harm at once, on a pass after its floor, without proof at its ceiling."""
    analysis, elapsed = judge(evidence, now), now - evidence.begun
    if analysis.verdict is Verdict.FAIL:
        if elapsed < evidence.policy.pause and _is_shared(evidence):
            shared = "the stable revision fails as well, so the pause runs to its end"
            line = f"{analysis.reason}; {shared}, unless the analysis in the cluster aborts it first"
            return Move(PauseAction.WAIT, analysis, line)
        return Move(PauseAction.ABORT, analysis, analysis.reason)
    if analysis.verdict is Verdict.PASS:
        return Move(PauseAction.ADVANCE, analysis, analysis.reason)
    if elapsed < evidence.policy.longest:
        return Move(PauseAction.WAIT, analysis, progress_line(evidence, now))
    return _without_proof(evidence, now, analysis)


def progress_line(evidence: Evidence, now: datetime) -> str:
    """Requests so far per arm, what is still needed, and when it will be there at the present traffic.

    Where they prove nothing however many they are, why that is instead.
    """
    seen = f"{evidence.weight_percent} %: stable {evidence.step_stable.requests}, "
    seen += f"canary {evidence.step_canary.requests} requests"
    floor = evidence.begun + evidence.policy.pause
    left = f"; the pause runs until {floor:%H:%M:%S} UTC" if now < floor else ""
    return f"{seen}; {_why_no_evidence(evidence, now) or _still_needed(evidence, now)}{left}"


def describe_pending_approval(evidence: Evidence, analysis: Analysis) -> str:
    """What the run says where the verdict changes while a person is asked: the decision stays theirs."""
    proof = "there is proof for the canary now" if analysis.verdict is Verdict.PASS else "there is no proof any more"
    return f"{evidence.weight_percent} %: {proof}: {analysis.reason}; a person was asked, and decides"


def _conclude(evidence: Evidence, now: datetime) -> tuple[Verdict, str]:
    failed = _why_failed(evidence)
    if failed:
        return Verdict.FAIL, failed
    unsure = _why_no_evidence(evidence, now) or _why_not_proved(evidence, now)
    if unsure:
        return Verdict.INCONCLUSIVE, unsure
    return Verdict.PASS, f"{_success(evidence)}; {_proof(evidence)}"


def _why_failed(evidence: Evidence) -> str | None:
    if evidence.broken:
        return f"the canary's pods do not serve: {evidence.broken}"
    if evidence.alarm:
        return f"an alarm began to ring during the canary: {evidence.alarm}"
    if evidence.harm.is_proven(evidence.policy.alpha):
        return f"harm is proven: {_compared(evidence)}, {_harm(evidence)}{_sample_ratio_note(evidence)}"
    if is_success_rate_refuted(evidence.canary, evidence.policy):
        return f"the success rate is below the limit: {_success(evidence)}"
    return None


def is_success_rate_refuted(canary: Counts, policy: Policy) -> bool:
    """Whether the confidence sequence of the canary's success rate lies below the limit as a whole."""
    if not canary.requests or canary.success_rate >= policy.min_success_rate:
        return False
    successes = canary.requests - canary.failures
    return log_mixture(successes, canary.failures, policy.min_success_rate) >= -math.log1p(-policy.confidence)


def _is_shared(evidence: Evidence) -> bool:
    """Whether all that failed is a success rate that the stable revision misses too: going back would not help."""
    if evidence.broken or evidence.alarm or evidence.harm.is_proven(evidence.policy.alpha):
        return False
    return evidence.step_stable.success_rate < evidence.policy.min_success_rate


def _why_no_evidence(evidence: Evidence, now: datetime) -> str | None:
    if evidence.sample_ratio.is_refuted(evidence.policy.sample_ratio_alpha):
        return f"the weight is not honoured: {_sample_ratio(evidence)}"
    if evidence.unreadable:
        return f"not everything could be read: {evidence.unreadable}"
    for arm, counts in (("new", evidence.step_canary), ("stable", evidence.step_stable)):
        if not counts.requests:
            return f"no requests were counted for the {arm} revision at {evidence.weight_percent} %"
    if evidence.is_stale(now):
        return f"the counts ended at {evidence.data_until:%H:%M:%S} UTC; until then {_success(evidence)}"
    return None


def _why_not_proved(evidence: Evidence, now: datetime) -> str | None:
    if evidence.canary.success_rate < evidence.policy.min_success_rate:
        return f"the success rate is not met, and not yet refuted: {_success(evidence)}"
    if not (evidence.is_non_inferior or evidence.power_analysis.is_enough):
        return f"too few requests: {_still_needed(evidence, now)}; {_success(evidence)}"
    floor = evidence.begun + evidence.policy.pause
    return f"the pause runs until {floor:%H:%M:%S} UTC; {_success(evidence)}" if now < floor else None


def _without_proof(evidence: Evidence, now: datetime, analysis: Analysis) -> Move:
    ended = f"no proof within {evidence.policy.longest}: {analysis.reason}"
    if evidence.policy.on_inconclusive is OnInconclusive.APPROVAL:
        return Move(PauseAction.ASK, analysis, f"{ended}; a person decides")
    if evidence.policy.on_inconclusive is OnInconclusive.GUIDE and _guide_holds(evidence, now):
        return Move(PauseAction.ADVANCE_BY_GUIDE, analysis, f"{ended}; going on by the guide's condition alone")
    return Move(PauseAction.REVERT, analysis, f"{ended}; the environment wants to go back then")


def _guide_holds(evidence: Evidence, now: datetime) -> bool:
    met = evidence.canary.success_rate >= evidence.policy.min_success_rate
    return met and _why_no_evidence(evidence, now) is None


def _still_needed(evidence: Evidence, now: datetime) -> str:
    missing = evidence.power_analysis.requests_missing(evidence.sample_ratio.share)
    goal = f"to show {evidence.policy.minimum_detectable_effect}"
    if missing == 0:
        return f"requests enough {goal}"
    if missing is None:
        return f"no number of requests at this share is enough {goal}"
    requests = evidence.step_stable.requests + evidence.step_canary.requests
    counted = evidence.policy.period * evidence.periods
    when = f", there at {now + missing / requests * counted:%H:%M:%S} UTC" if requests else ""
    return f"{missing} more requests to both revisions needed {goal}{when}"


def _success(evidence: Evidence) -> str:
    canary, wanted = evidence.canary, evidence.policy.min_success_rate
    successes = canary.requests - canary.failures
    low, high = confidence_sequence(successes, canary.failures, confidence=evidence.policy.confidence)
    succeeded = f"{percent(canary.success_rate)} of the canary's {canary.requests} requests in this release succeeded"
    return f"{succeeded} (between {percent(low)} and {percent(high)}; wanted {100 * wanted:g} %)"


def _proof(evidence: Evidence) -> str:
    if evidence.is_non_inferior:
        return (
            f"proved to fail less than {evidence.policy.non_inferiority_ratio:g} times as often as the stable revision"
        )
    harm, chance = evidence.policy.minimum_detectable_effect, evidence.policy.power
    return f"{harm} would have been found with probability {chance:g}; {_harm(evidence)}"


def _compared(evidence: Evidence) -> str:
    canary, stable, slow = evidence.step_canary, evidence.step_stable, evidence.step_slow
    failed = f"canary {canary.failures} of {canary.requests} failed, stable {stable.failures} of {stable.requests}"
    return f"{failed}; slow: canary {slow.canary}, stable {slow.stable}" if slow and slow != Slow() else failed


def _harm(evidence: Evidence) -> str:
    highest, wanted = math.exp(min(evidence.harm.highest, 700.0)), 1 / evidence.policy.alpha
    return f"evidence of harm {highest:.3g}, proof from {wanted:g}"


def _sample_ratio(evidence: Evidence) -> str:
    split = evidence.sample_ratio
    reached = f"{percent(split.share)} of {split.canary + split.stable} requests reached the canary"
    return f"{reached}, weight {100 * split.weight:g} %"


def _sample_ratio_note(evidence: Evidence) -> str:
    return (
        f"; besides, {_sample_ratio(evidence)}"
        if evidence.sample_ratio.is_refuted(evidence.policy.sample_ratio_alpha)
        else ""
    )
