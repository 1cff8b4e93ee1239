"""The record of a judged canary step, for the journal and for the Prefect UI, and how messages describe its end."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from delivery.canary.counts import Counts, format_percent
from delivery.canary.evidence import Evidence
from delivery.canary.figures import describe_harm
from delivery.canary.verdict import CANNOT_BE_DETECTED, Judgement, PauseAction, Verdict
from delivery.rollout.weights import WeightSource

Row = dict[str, str | int]
# Retries make failures come in clusters. The guarantee does not apply then, so readers of the numbers must know this.
UNIT = "each retry counts as a request"


def describe_judgement(
    evidence: Evidence, judgement: Judgement, weight_sources: Sequence[WeightSource], now: datetime
) -> dict[str, Any]:
    """What the journal records of a judged step. weight_sources: as read last."""
    return {
        "weight_percent": evidence.weight_percent,
        "read_back": {weight_source.source: weight_source.weight_percent for weight_source in weight_sources},
        "verdict": judgement.analysis.verdict.value,
        "reason": judgement.line,
        "action": judgement.action.value,
        "unit": UNIT,
        "periods": evidence.periods,
        "seconds": round((now - evidence.started_at).total_seconds(), 1),
        "stable": asdict(judgement.analysis.stable),
        "canary": asdict(judgement.analysis.canary),
    }


def describe_end(weight_percent: int, judgement: Judgement) -> str:
    """Why a canary is not promoted: `The canary failed at 20 %. Harm is proven: ...`."""
    ended = "failed" if judgement.analysis.verdict is Verdict.FAIL else "was inconclusive"
    return f"The canary {ended} at {weight_percent} %. {judgement.line[:1].upper()}{judgement.line[1:]}."


def tabulate(evidence: Evidence, judgement: Judgement) -> list[Row]:
    """A row for each revision. The canary's also has the likelihood ratio for harm, and what a verdict still needs."""
    slow, harm = evidence.step_slow, f"{describe_harm(evidence)}; {UNIT}"
    needed = _needed(evidence) if judgement.analysis.verdict is Verdict.INCONCLUSIVE else "nothing more"
    return [
        _row("stable", evidence.step_stable, slow.stable if slow else None),
        _row("canary", evidence.step_canary, slow.canary if slow else None, evidence=harm, needed=needed),
    ]


def progress_percent(evidence: Evidence, judgement: Judgement, now: datetime) -> float:
    """The progress of the step, 0.0 to 100.0: the smaller one of the pause's and of the requests' progress.

    100.0 if the pause ends, whatever the action is.
    """
    if judgement.action is not PauseAction.WAIT:
        return 100.0
    requests = evidence.step_stable.requests + evidence.step_canary.requests
    missing = evidence.power_analysis.requests_missing(evidence.sample_ratio.share)
    if missing is None:
        return 0.0
    fractions = (
        (now - evidence.started_at) / evidence.policy.pause,
        requests / (requests + missing) if missing else 1.0,
    )
    return 100 * max(0.0, min(1.0, *fractions))


def _row(revision: str, counts: Counts, slow: int | None, *, evidence: str = "", needed: str = "") -> Row:
    return {
        "revision": revision,
        "requests": counts.requests,
        "failures": counts.failures,
        "failure rate": format_percent(1 - counts.success_rate) if counts.requests else "no requests",
        "slow": "not counted" if slow is None else slow,
        "evidence": evidence,
        "needed": needed,
    }


def _needed(evidence: Evidence) -> str:
    missing = evidence.power_analysis.requests_missing(evidence.sample_ratio.share)
    if missing is None:
        return f"this effect {CANNOT_BE_DETECTED}"
    return f"{missing} more requests" if missing else "enough requests"
