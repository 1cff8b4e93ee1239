"""The result of one check, and the summary of several."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from delivery.canary.verdict import Verdict

VERBS = {Verdict.FAIL: "fail", Verdict.INCONCLUSIVE: "are inconclusive"}


class Check(BaseModel):
    """One question about an environment. seen, wanted and advice are texts for the operator."""

    model_config = ConfigDict(frozen=True)

    name: str
    verdict: Verdict
    seen: str
    wanted: str
    advice: str = ""


def inconclusive_check(name: str, why: str, wanted: str) -> Check:
    """A check that could not be read: it neither passed nor failed."""
    return Check(name=name, verdict=Verdict.INCONCLUSIVE, seen=why, wanted=wanted)


def describe_check(check: Check) -> str:
    """What was seen, what was expected, and what to do next, if that is known."""
    seen = check.seen.rstrip(". ")
    if check.verdict is Verdict.INCONCLUSIVE:
        return f"{check.name} could not be checked: {seen}."
    advice = f" {check.advice}." if check.advice else ""
    return f"{check.name} failed: {seen}. Expected: {check.wanted}.{advice}"


def summarize_checks(checks: Sequence[Check]) -> tuple[Verdict, str]:
    """The worst verdict, and a sentence that describes each check with this verdict."""
    for verdict, verb in VERBS.items():
        found = [describe_check(check) for check in checks if check.verdict is verdict]
        if found:
            return verdict, f"{len(found)} of {len(checks)} checks {verb}. " + " ".join(found)
    return Verdict.PASS, f"{len(checks)} of {len(checks)} checks pass."
