"""What the demo's releases showed: the analysis of each canary step, and the rollback of the failed release."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

SLIPWAY = Path(sys.executable).parent / "slipway"
WEIGHTS = (20, 40, 60, 80)
# Shown with its first twelve digits.
DIGEST = re.compile(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}")

# How the name of a journal step begins, and what the step did during the rollback.
ROLLBACK_STEPS = (
    ("Canary/abort", "the canary was aborted: the load balancer no longer sends requests to it"),
    (
        "Application/Rollout ",
        "the Rollout has the stable revision's template again, and that revision serves all traffic",
    ),
    ("Application/ReplicaSet ", "the failed revision was deleted"),
    ("Lock", "the release ended and unlocked production"),
)
SECONDS_TO_READ = 120
# How the journal names a weight source that is a rule of the load balancer.
RULE = "listener rule "

Release = Mapping[str, Any]


def read_releases(variables: Mapping[str, str]) -> list[Release]:
    """All releases to production, oldest first, from `slipway status --json`."""
    command = [str(SLIPWAY), "status", "production", "--json"]
    output = subprocess.run(
        command, env=dict(variables), capture_output=True, text=True, check=True, timeout=SECONDS_TO_READ
    ).stdout
    return list(reversed(json.loads(output)["releases"]))


def judged_steps(release: Release | None) -> list[Mapping[str, Any]]:
    """The analysis of each canary step: weight_percent, read_back, verdict, seconds, and the counts of both arms."""
    return [record["detail"] for record in journal_of(release) if record["event"] == "judged"]


def describe_weight_sources(releases: list[Release]) -> str:
    """Which sources confirm each step's weight; empty if no step was judged."""
    judged = [step for release in releases for step in judged_steps(release)]
    if not judged:
        return ""
    first = judged[0]["read_back"]
    rules = sum(source.startswith(RULE) for source in first)
    return (
        f"A weight is confirmed by {len(first)} sources: the Rollout's status, the action in the Ingress annotation,\n"
        f"and each listener rule of the load balancer that forwards to either revision ({rules})."
    )


def describe_steps(releases: list[Release], names: Mapping[str, str]) -> str:
    """One line per canary step of each release. names: of digests."""
    confirmed = "weight confirmed by"
    heading = f"{'release':<10}{'weight':>6}  {confirmed:<21}{'verdict':<14}{'stable':<19}{'canary':<19}duration"
    lines = [heading]
    for release in releases:
        label = f"{release['number']} ({names.get(release['artifact_digest'], '?')})"
        lines += [describe_step(label, step) for step in judged_steps(release)]
    return "\n".join(lines)


def describe_step(label: str, step: Mapping[str, Any]) -> str:
    stable, canary = (describe_arm(step[arm]) for arm in ("stable", "canary"))
    weight, confirmed = f"{step['weight_percent']} %", describe_read_back(step)
    judged = f"{step['verdict']:<14}{stable:<19}{canary:<19}{step['seconds']:>6.0f} s"
    return f"{label:<10}{weight:>6}  {confirmed:<21}{judged}"


def describe_read_back(step: Mapping[str, Any]) -> str:
    """`6 of 6 sources`: how many of Rollout, Ingress and listener rules had the step's weight."""
    said = list(step["read_back"].values())
    return f"{said.count(step['weight_percent'])} of {len(said)} sources"


def describe_arm(counts: Mapping[str, int]) -> str:
    return f"{counts['failures']} of {counts['requests']} failed"


def describe_failures(step: Mapping[str, Any]) -> str:
    canary, stable = step["canary"], step["stable"]
    failed = f"{canary['failures']} of {canary['requests']} requests to the canary failed"
    return f"{failed}, {stable['failures']} of {stable['requests']} to the stable revision"


def describe_failure(releases: list[Release], digest: str) -> str:
    """The step in which the release failed, its requests, and each step of the rollback with its time."""
    release = release_of(releases, digest)
    failed = next((record for record in journal_of(release) if is_failed_step(record)), None)
    if release is None or failed is None:
        return "No step of its canary failed."
    step, verdict_at = failed["detail"], datetime.fromisoformat(failed["at"])
    lines = [
        f"at {step['weight_percent']} %: {describe_failures(step)}",
    ]
    for record in journal_of(release)[failed["sequence"] + 1 :]:
        if record["event"] in ("done", "ended"):
            seconds = (datetime.fromisoformat(record["at"]) - verdict_at).total_seconds()
            lines.append(f"{seconds:4.1f} s after the verdict  {describe_rollback_step(record['step'])}")
    return "\n".join([*lines, DIGEST.sub(r"\1…", release["outcome"])])


def describe_rollback_step(step: str) -> str:
    """What a step of the journal did."""
    return next((said for name, said in ROLLBACK_STEPS if step.startswith(name)), f"{step} was done")


def is_failed_step(record: Mapping[str, Any]) -> bool:
    return record["event"] == "judged" and record["detail"]["verdict"] == "fail"


def release_of(releases: list[Release], digest: str) -> Release | None:
    """The digest's first release."""
    return next((found for found in releases if found["artifact_digest"] == digest), None)


def journal_of(release: Release | None) -> list[Mapping[str, Any]]:
    return list(release["journal"]) if release else []


def missing_evidence(releases: list[Release], digest: str) -> str | None:
    """Why the canary of that digest is no evidence; None if each of its steps passed with requests of both revisions.

    A second release of the digest means that there was something to do, and the demo excludes that.
    """
    if sum(release["artifact_digest"] == digest for release in releases) > 1:
        return f"{digest} was released a second time although there was nothing to do."
    steps = {step["weight_percent"]: step for step in judged_steps(release_of(releases, digest))}
    for weight in WEIGHTS:
        step = steps.get(weight)
        if step is None or not (step["stable"]["requests"] and step["canary"]["requests"]):
            return f"The canary of {digest} has no requests to both revisions in closed periods at {weight} %."
        if set(step["read_back"].values()) != {weight}:
            return f"The canary of {digest} was judged at {weight} % without its weight confirmed by all sources."
        if step["verdict"] != "pass":
            return f"The canary of {digest} was promoted past {weight} % with the verdict {step['verdict']}."
    return None
