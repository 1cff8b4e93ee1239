"""What is kept and shown of a canary step that was judged."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from delivery.canary.counts import Counts, percent
from delivery.canary.evidence import Evidence
from delivery.canary.verdict import Move, PauseAction, Verdict
from delivery.rollout.weights import WeightSource

Row = dict[str, str | int]
# Retries make failures come in clumps, which weakens the promise: whoever reads the numbers has to know.
UNIT = "each retry counts as a request"


def describe_judgement(
    evidence: Evidence, move: Move, weight_sources: Sequence[WeightSource], now: datetime
) -> dict[str, Any]:
    """For the journal: what a step was judged on. weight_sources: as read last."""
    return {
        "weight_percent": evidence.weight_percent,
        "read_back": {weight_source.source: weight_source.percent for weight_source in weight_sources},
        "verdict": move.analysis.verdict.value,
        "reason": move.line,
        "action": move.action.value,
        "unit": UNIT,
        "periods": evidence.periods,
        "seconds": round((now - evidence.begun).total_seconds(), 1),
        "stable": asdict(move.analysis.stable),
        "canary": asdict(move.analysis.canary),
    }


def tabulate(evidence: Evidence, move: Move) -> list[Row]:
    """A row for each arm of the step; the evidence of harm, and what is needed for a verdict, stand by the canary."""
    slow, policy = evidence.step_slow, evidence.policy
    harm = math.exp(min(evidence.harm.highest, 700.0))
    said = f"{harm:.3g} for harm, proof from {1 / policy.alpha:g}; {UNIT}"
    needed = _needed(evidence) if move.analysis.verdict is Verdict.INCONCLUSIVE else "nothing more"
    return [
        _row("stable", evidence.step_stable, slow.stable if slow else None),
        _row("canary", evidence.step_canary, slow.canary if slow else None, evidence=said, needed=needed),
    ]


def progress_percent(evidence: Evidence, move: Move, now: datetime) -> float:
    """How far the step is, 0.0 to 100.0: by its pause or by the requests it needs, whichever is further behind.

    A step whose pause ends is at its end, by whichever move.
    """
    if move.action is not PauseAction.WAIT:
        return 100.0
    requests = evidence.step_stable.requests + evidence.step_canary.requests
    missing = evidence.power_analysis.requests_missing(evidence.sample_ratio.share)
    if missing is None:
        return 0.0
    shares = ((now - evidence.begun) / evidence.policy.pause, requests / (requests + missing) if missing else 1.0)
    return 100 * max(0.0, min(1.0, *shares))


def _row(arm: str, counts: Counts, slow: int | None, *, evidence: str = "", needed: str = "") -> Row:
    return {
        "arm": arm,
        "requests": counts.requests,
        "failures": counts.failures,
        "rate": percent(1 - counts.success_rate) if counts.requests else "no requests",
        "slow": "not counted" if slow is None else slow,
        "evidence": evidence,
        "needed": needed,
    }


def _needed(evidence: Evidence) -> str:
    missing = evidence.power_analysis.requests_missing(evidence.sample_ratio.share)
    if missing is None:
        return "more than any service sees"
    return f"{missing} more requests" if missing else "enough seen"
