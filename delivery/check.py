"""What a check found, and several of them summed up."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from delivery.canary.verdict import Verdict


class Check(BaseModel):
    """One yes/no after a release. seen, wanted and advice, on what to do: as the operator reads them."""

    model_config = ConfigDict(frozen=True)

    name: str
    verdict: Verdict
    seen: str
    wanted: str
    advice: str = ""


def cannot_tell(name: str, why: str, wanted: str) -> Check:
    """What could not be looked at has neither passed nor failed."""
    return Check(name=name, verdict=Verdict.INCONCLUSIVE, seen=why, wanted=wanted)


def describe_check(check: Check) -> str:
    """What was seen in place of what was wanted, and what to do about it where that is known."""
    advice = f" {check.advice}." if check.advice else ""
    return f"{check.name}: saw {check.seen}, wanted {check.wanted}.{advice}"


def sum_up(checks: Sequence[Check]) -> tuple[Verdict, str]:
    """The worst verdict of all checks and a sentence naming each that did not pass."""
    for verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE):
        found = [describe_check(check) for check in checks if check.verdict is verdict]
        if found:
            return verdict, f"{len(found)} of {len(checks)} checks {verdict}. " + " ".join(found)
    return Verdict.PASS, f"{len(checks)} of {len(checks)} checks pass."
