"""The verdict on a canary step and what to do with its pause, each with its reason and numbers."""

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from delivery.canary.counts import Counts, Slow, format_percent
from delivery.canary.evidence import THE_CANARY, THE_STABLE_REVISION, Evidence, Policy
from delivery.canary.sequential import confidence_sequence, log_mixture
from delivery.canary.settings import OnInconclusive


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
    """A FAIL ends the pause at once, a PASS after the shortest pause, and no proof after the longest pause."""
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
    return f"{line}; {_runs_until(evidence)}" if now < evidence.started_at + evidence.policy.pause else line


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
    return Verdict.PASS, f"{_success(evidence)}; {_proof(evidence)}"


def _why_failed(evidence: Evidence) -> str | None:
    if evidence.broken:
        return f"the canary's pods do not serve: {evidence.broken}"
    if evidence.new_alarm:
        return f"an alarm went into ALARM during the canary: {evidence.new_alarm}"
    if evidence.harm.is_proven(evidence.policy.alpha):
        return f"harm is proven: {_compared(evidence)}; {_harm(evidence)}{_mismatch_note(evidence)}"
    if is_success_rate_refuted(evidence.canary, evidence.policy):
        return f"the success rate is below the limit: {_success(evidence)}"
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
    shared = f"{THE_STABLE_REVISION} is below the limit too, so {_runs_until(evidence)}"
    return f"{analysis.reason}; {shared}, unless the analysis in the cluster aborts the canary first"


def _why_no_evidence(evidence: Evidence, now: datetime) -> str | None:
    if evidence.sample_ratio.is_mismatch(evidence.policy.sample_ratio_alpha):
        return f"sample-ratio mismatch: {_sample_ratio(evidence)}"
    if evidence.unreadable:
        return f"not everything could be read: {evidence.unreadable}"
    for revision, counts in ((THE_CANARY, evidence.step_canary), (THE_STABLE_REVISION, evidence.step_stable)):
        if not counts.requests:
            return f"no requests were counted for {revision} at {evidence.weight_percent} %"
    if evidence.is_stale(now):
        return f"there are no counts after {evidence.data_until:%H:%M:%S} UTC; until then, {_success(evidence)}"
    return None


def _why_no_proof(evidence: Evidence, now: datetime) -> str | None:
    if evidence.canary.success_rate < evidence.policy.min_success_rate:
        return f"the success rate is below the limit, but this is not proven yet: {_success(evidence)}"
    if not (evidence.is_non_inferior or evidence.power_analysis.is_enough):
        return f"too few requests: {_still_needed(evidence, now)}; {_success(evidence)}"
    if now < evidence.started_at + evidence.policy.pause:
        return f"{_runs_until(evidence)}; {_success(evidence)}"
    return None


def _without_proof(evidence: Evidence, now: datetime, analysis: Analysis) -> Judgement:
    setting = evidence.policy.on_inconclusive
    line = f"no proof within {evidence.policy.longest_pause}: {analysis.reason}; on_inconclusive is {setting}"
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


def _runs_until(evidence: Evidence) -> str:
    return f"the pause runs until {evidence.started_at + evidence.policy.pause:%H:%M:%S} UTC"


def _still_needed(evidence: Evidence, now: datetime) -> str:
    missing = evidence.power_analysis.requests_missing(evidence.sample_ratio.share)
    goal = f"to detect {evidence.policy.minimum_detectable_effect}"
    if missing == 0:
        return f"enough requests {goal}"
    if missing is None:
        return f"at the canary's share of the requests, no number of requests is enough {goal}"
    requests = evidence.step_stable.requests + evidence.step_canary.requests
    counted = evidence.policy.period * evidence.periods
    when = f", expected at {now + missing / requests * counted:%H:%M:%S} UTC" if requests else ""
    return f"{missing} more requests to both revisions together are needed {goal}{when}"


def _success(evidence: Evidence) -> str:
    canary, wanted = evidence.canary, evidence.policy.min_success_rate
    successes = canary.requests - canary.failures
    low, high = confidence_sequence(successes, canary.failures, confidence=evidence.policy.confidence)
    succeeded = f"{format_percent(canary.success_rate)} of the canary's {canary.requests} requests in this release"
    interval = f"between {format_percent(low)} and {format_percent(high)}"
    return f"{succeeded} succeeded ({interval}; wanted {100 * wanted:g} %)"


def _proof(evidence: Evidence) -> str:
    if evidence.is_non_inferior:
        ratio = f"{evidence.policy.non_inferiority_ratio:g}"
        return f"the canary is proven to fail less than {ratio} times as often as {THE_STABLE_REVISION}"
    effect, power = evidence.policy.minimum_detectable_effect, evidence.policy.power
    return f"{effect} would have been detected with probability {power:g}; {_harm(evidence)}"


def _compared(evidence: Evidence) -> str:
    canary, stable, slow = evidence.step_canary, evidence.step_stable, evidence.step_slow
    failed = f"{canary.failures} of {canary.requests} requests to {THE_CANARY} failed"
    failed = f"{failed}, {stable.failures} of {stable.requests} to {THE_STABLE_REVISION}"
    if not slow or slow == Slow():
        return failed
    return f"{failed}; {slow.canary} requests to {THE_CANARY} were slow, {slow.stable} to {THE_STABLE_REVISION}"


def _harm(evidence: Evidence) -> str:
    highest, threshold = math.exp(min(evidence.harm.highest, 700.0)), 1 / evidence.policy.alpha
    return f"evidence of harm {highest:.3g}, threshold {threshold:g}"


def _sample_ratio(evidence: Evidence) -> str:
    ratio = evidence.sample_ratio
    canary = f"{format_percent(ratio.share)} of {ratio.canary + ratio.stable} requests went to {THE_CANARY}"
    return f"{canary}, its weight is {100 * ratio.weight:g} %"


def _mismatch_note(evidence: Evidence) -> str:
    if not evidence.sample_ratio.is_mismatch(evidence.policy.sample_ratio_alpha):
        return ""
    return f"; there is also a sample-ratio mismatch: {_sample_ratio(evidence)}"
