"""The verdict on a canary step and what to do with its pause, each with its reason and numbers."""

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from delivery.canary.counts import Counts
from delivery.canary.evidence import THE_CANARY, THE_STABLE_REVISION, Evidence, Policy
from delivery.canary.figures import (
    compare_counts,
    describe_harm,
    describe_sample_ratio,
    describe_success,
    describe_success_rate,
)
from delivery.canary.sequential import log_mixture
from delivery.canary.settings import OnInconclusive
from delivery.fields import format_duration

CANNOT_BE_DETECTED = "cannot be detected at this weight; set a larger minimum_detectable_effect"


class Verdict(StrEnum):
    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Analysis:
    """A verdict with its reason, and the counts of the step."""

    verdict: Verdict
    reason: str
    stable: Counts
    canary: Counts


class PauseAction(StrEnum):
    """What to do with a pause. The journal stores the values.

    PROMOTE_BY_GUIDE: without proof, on the guide's condition alone. ROLL_BACK: without proof. ABORT: on a FAIL.
    """

    WAIT = "wait"
    PROMOTE = "advance"
    PROMOTE_BY_GUIDE = "advance by the guide's condition alone"
    ABORT = "abort"
    ROLL_BACK = "revert"
    AWAIT_APPROVAL = "ask"


@dataclass(frozen=True)
class Judgement:
    """What to do with the pause, the analysis that this is based on, and the line that the run logs."""

    action: PauseAction
    analysis: Analysis
    line: str


def judge(evidence: Evidence, now: datetime) -> Analysis:
    """PASS and FAIL need proof. Everything else is INCONCLUSIVE, which never promotes.

    Source: guide, "Automatic Rollback Trigger Conditions", for the success rate; docs/verdict.md for the rest.
    """
    verdict, reason = _conclude(evidence, now)
    return Analysis(verdict, reason, evidence.step_stable, evidence.step_canary)


def judge_pause(evidence: Evidence, now: datetime) -> Judgement:
    """A FAIL ends the pause at once, a PASS after the shortest pause, and no proof after the longest pause.

    Exception: a FAIL that is shared with the stable revision ends the pause after the shortest pause.
    """
    analysis, elapsed = judge(evidence, now), now - evidence.started_at
    if analysis.verdict is Verdict.FAIL:
        if elapsed < evidence.policy.pause and _is_shared(evidence):
            return Judgement(PauseAction.WAIT, analysis, _shared_failure_line(evidence, analysis))
        return Judgement(PauseAction.ABORT, analysis, analysis.reason)
    if analysis.verdict is Verdict.PASS:
        return Judgement(PauseAction.PROMOTE, analysis, analysis.reason)
    if elapsed < evidence.policy.longest_pause:
        return Judgement(PauseAction.WAIT, analysis, progress_line(evidence, now))
    return _without_proof(evidence, now, analysis)


def progress_line(evidence: Evidence, now: datetime) -> str:
    """The requests so far, how many more are needed, and when to expect them at the current traffic.

    If requests would be no evidence, the reason for that replaces the number.
    """
    stable, canary = evidence.step_stable.requests, evidence.step_canary.requests
    counted = f"{evidence.weight_percent} %: {stable} requests to {THE_STABLE_REVISION}, {canary} to {THE_CANARY}"
    line = f"{counted}; {_why_no_evidence(evidence, now) or _still_needed(evidence, now)}"
    return f"{line}; {_earliest_promotion(evidence)}" if now < evidence.started_at + evidence.policy.pause else line


def describe_pending_approval(evidence: Evidence, analysis: Analysis) -> str:
    """The line for a verdict that changes during an approval, which stays a person's decision."""
    proof = "there is proof for the canary now" if analysis.verdict is Verdict.PASS else "there is no longer proof"
    return f"{evidence.weight_percent} %: {proof}: {analysis.reason}; the approval is still pending"


def _conclude(evidence: Evidence, now: datetime) -> tuple[Verdict, str]:
    failed = _why_failed(evidence)
    if failed:
        return Verdict.FAIL, failed
    inconclusive = _why_no_evidence(evidence, now) or _why_no_proof(evidence, now)
    if inconclusive:
        return Verdict.INCONCLUSIVE, inconclusive
    return Verdict.PASS, f"{describe_success(evidence)}; {_proof(evidence)}"


def _why_failed(evidence: Evidence) -> str | None:
    if evidence.broken:
        return f"the canary's pods do not serve: {evidence.broken}"
    if evidence.new_alarm:
        return f"an alarm entered ALARM during the canary: {evidence.new_alarm}"
    if evidence.harm.is_proven(evidence.policy.alpha):
        return f"harm is proven: {compare_counts(evidence)}; {describe_harm(evidence)}{_mismatch_note(evidence)}"
    if is_success_rate_refuted(evidence.canary, evidence.policy):
        return f"the success rate is below the minimum: {describe_success_rate(evidence)}"
    return None


def is_success_rate_refuted(canary: Counts, policy: Policy) -> bool:
    """Whether the whole confidence sequence of the canary's success rate is below the limit."""
    if not canary.requests or canary.success_rate >= policy.min_success_rate:
        return False
    successes = canary.requests - canary.failures
    return log_mixture(successes, canary.failures, policy.min_success_rate) >= -math.log1p(-policy.confidence)


def _is_shared(evidence: Evidence) -> bool:
    """Whether the only failure is a success rate that the stable revision misses too. A rollback does not help then."""
    if evidence.broken or evidence.new_alarm or evidence.harm.is_proven(evidence.policy.alpha):
        return False
    return evidence.step_stable.success_rate < evidence.policy.min_success_rate


def _shared_failure_line(evidence: Evidence, analysis: Analysis) -> str:
    shared = f"{THE_STABLE_REVISION} is below the minimum too, so the pause runs until {_end_of_pause(evidence)}"
    return f"{analysis.reason}; {shared}, unless the analysis in the cluster aborts the canary first"


def _why_no_evidence(evidence: Evidence, now: datetime) -> str | None:
    if evidence.sample_ratio.is_mismatch(evidence.policy.sample_ratio_alpha):
        return f"sample-ratio mismatch: {describe_sample_ratio(evidence)}"
    if evidence.unreadable:
        return f"could not read: {evidence.unreadable}"
    for revision, counts in ((THE_CANARY, evidence.step_canary), (THE_STABLE_REVISION, evidence.step_stable)):
        if not counts.requests:
            return f"no requests were counted for {revision} at {evidence.weight_percent} %"
    if evidence.is_stale(now):
        return f"no CloudWatch data since {evidence.data_until:%H:%M:%S} UTC; before that, {describe_success(evidence)}"
    return None


def _why_no_proof(evidence: Evidence, now: datetime) -> str | None:
    if evidence.canary.success_rate < evidence.policy.min_success_rate:
        return f"the success rate is below the minimum, but this is not proven yet: {describe_success_rate(evidence)}"
    if not (evidence.is_non_inferior or evidence.power_analysis.is_enough):
        return f"too few requests: {_still_needed(evidence, now)}; {describe_success(evidence)}"
    if now < evidence.started_at + evidence.policy.pause:
        return f"{_earliest_promotion(evidence)}; {describe_success(evidence)}"
    return None


def _without_proof(evidence: Evidence, now: datetime, analysis: Analysis) -> Judgement:
    setting, longest_pause = evidence.policy.on_inconclusive, format_duration(evidence.policy.longest_pause)
    line = f"no proof within {longest_pause}; {analysis.reason}; on_inconclusive is {setting}"
    if setting is OnInconclusive.APPROVAL:
        return Judgement(PauseAction.AWAIT_APPROVAL, analysis, f"{line}, so a person decides")
    if setting is OnInconclusive.ROLLBACK:
        return Judgement(PauseAction.ROLL_BACK, analysis, line)
    if _is_guide_condition_met(evidence, now):
        return Judgement(PauseAction.PROMOTE_BY_GUIDE, analysis, f"{line}, and the guide's condition is met")
    return Judgement(PauseAction.ROLL_BACK, analysis, f"{line}, and the guide's condition is not met or unknown")


def _is_guide_condition_met(evidence: Evidence, now: datetime) -> bool:
    is_high_enough = evidence.canary.success_rate >= evidence.policy.min_success_rate
    return is_high_enough and _why_no_evidence(evidence, now) is None


def _end_of_pause(evidence: Evidence) -> str:
    """The end of the shortest pause."""
    return f"{evidence.started_at + evidence.policy.pause:%H:%M:%S} UTC"


def _earliest_promotion(evidence: Evidence) -> str:
    return f"earliest promotion at {_end_of_pause(evidence)}"


def _still_needed(evidence: Evidence, now: datetime) -> str:
    missing = evidence.power_analysis.requests_missing(evidence.sample_ratio.share)
    effect = evidence.policy.minimum_detectable_effect
    goal = f"to detect {effect}"
    if missing == 0:
        return f"enough requests {goal}"
    if missing is None:
        return f"{effect} {CANNOT_BE_DETECTED}"
    requests = evidence.step_stable.requests + evidence.step_canary.requests
    counted = evidence.policy.period * evidence.periods
    when = f", expected at {now + missing / requests * counted:%H:%M:%S} UTC" if requests else ""
    return f"{missing} more requests to both revisions together are needed {goal}{when}"


def _proof(evidence: Evidence) -> str:
    if evidence.is_non_inferior:
        ratio = f"{evidence.policy.non_inferiority_ratio:g}"
        return f"the canary is proven to fail less than {ratio} times as often as {THE_STABLE_REVISION}"
    effect, power = evidence.policy.minimum_detectable_effect, evidence.policy.power
    return f"enough requests to detect {effect} with power {power:g}; {describe_harm(evidence)}"


def _mismatch_note(evidence: Evidence) -> str:
    if not evidence.sample_ratio.is_mismatch(evidence.policy.sample_ratio_alpha):
        return ""
    return f"; there is also a sample-ratio mismatch: {describe_sample_ratio(evidence)}"
