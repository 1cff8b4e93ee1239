"""What the demo's releases showed: each canary step as it was judged, and the way back of the one that failed."""

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
# Shown by its first twelve digits.
DIGEST = re.compile(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}")

# Steps of the journal by their first words, and what they did on the way back.
STEPS_BACK = (
    ("Canary/abort", "the canary was aborted: the load balancer sends it nothing any more"),
    ("Application/Rollout ", "the Rollout has the stable revision's template again, which serves all traffic"),
    ("Application/ReplicaSet ", "the failed revision was taken away"),
    ("Lock", "the release ended, and production was free again"),
)
SECONDS_TO_READ = 120
# How the journal names a place that is a rule of the load balancer.
RULE = "listener rule "

Release = Mapping[str, Any]


def read_releases(variables: Mapping[str, str]) -> list[Release]:
    """All releases to production, oldest first, as `slipway status --json` tells them."""
    command = [str(SLIPWAY), "status", "production", "--json"]
    told = subprocess.run(
        command, env=dict(variables), capture_output=True, text=True, check=True, timeout=SECONDS_TO_READ
    ).stdout
    return list(reversed(json.loads(told)["releases"]))


def judged_steps(release: Release | None) -> list[Mapping[str, Any]]:
    """What each canary step of a release was judged on: weight_percent, read_back, verdict, seconds, and both arms."""
    return [record["detail"] for record in journal_of(release) if record["event"] == "judged"]


def describe_places(releases: list[Release]) -> str:
    """What the places are at which each step's weight was read back; empty where no step was judged."""
    judged = [step for release in releases for step in judged_steps(release)]
    if not judged:
        return ""
    first = judged[0]["read_back"]
    rules = sum(source.startswith(RULE) for source in first)
    return (
        f"The {len(first)} places at which a weight is read back: the Rollout's status, the action in the Ingress's "
        f"annotation,\nand each listener rule of the load balancer that forwards to either revision, {rules} of them."
    )


def describe_steps(releases: list[Release], names: Mapping[str, str]) -> str:
    """A line for each canary step of each release. names: of digests."""
    heading = f"{'release':<10}{'weight':>6}  {'read back':<17}{'verdict':<14}{'stable':<19}{'canary':<19}watched"
    lines = [heading]
    for release in releases:
        label = f"{release['number']} ({names.get(release['artifact_digest'], '?')})"
        lines += [describe_step(label, step) for step in judged_steps(release)]
    return "\n".join(lines)


def describe_step(label: str, step: Mapping[str, Any]) -> str:
    stable, canary = (describe_arm(step[arm]) for arm in ("stable", "canary"))
    weight, read_back = f"{step['weight_percent']} %", describe_read_back(step)
    judged = f"{step['verdict']:<14}{stable:<19}{canary:<19}{step['seconds']:>5.0f} s"
    return f"{label:<10}{weight:>6}  {read_back:<17}{judged}"


def describe_read_back(step: Mapping[str, Any]) -> str:
    """`at 6 of 6 places`: Rollout, Ingress and listener rules that said the step's weight."""
    said = list(step["read_back"].values())
    return f"at {said.count(step['weight_percent'])} of {len(said)} places"


def describe_arm(counts: Mapping[str, int]) -> str:
    return f"{counts['failures']} of {counts['requests']} failed"


def describe_failure(releases: list[Release], digest: str) -> str:
    """The step in which the digest's release failed, on which requests, and each step of its way back with its time."""
    release = release_of(releases, digest)
    failed = next((record for record in journal_of(release) if is_failed_step(record)), None)
    if release is None or failed is None:
        return "No step of its canary failed."
    step, verdict_at = failed["detail"], datetime.fromisoformat(failed["at"])
    lines = [
        f"at {step['weight_percent']} %: {describe_arm(step['canary'])} on the new revision, "
        f"{describe_arm(step['stable'])} on the stable one",
    ]
    for record in journal_of(release)[failed["sequence"] + 1 :]:
        if record["event"] in ("done", "ended"):
            seconds = (datetime.fromisoformat(record["at"]) - verdict_at).total_seconds()
            lines.append(f"{seconds:4.1f} s after the verdict  {describe_step_back(record['step'])}")
    return "\n".join([*lines, DIGEST.sub(r"\1…", release["outcome"])])


def describe_step_back(step: str) -> str:
    """The journal's name of a step as what it did."""
    return next((said for name, said in STEPS_BACK if step.startswith(name)), f"{step} was carried out")


def is_failed_step(record: Mapping[str, Any]) -> bool:
    return record["event"] == "judged" and record["detail"]["verdict"] == "fail"


def release_of(releases: list[Release], digest: str) -> Release | None:
    """The digest's first release."""
    return next((found for found in releases if found["artifact_digest"] == digest), None)


def journal_of(release: Release | None) -> list[Mapping[str, Any]]:
    return list(release["journal"]) if release else []


def missing_evidence(releases: list[Release], digest: str) -> str | None:
    """Why the canary of that digest proves nothing; None when each of its steps passed with requests of both arms.

    A second release of the digest would have had something to do, which the demo rules out.
    """
    if sum(release["artifact_digest"] == digest for release in releases) > 1:
        return f"{digest} was released a second time, where there was nothing to do."
    steps = {step["weight_percent"]: step for step in judged_steps(release_of(releases, digest))}
    for weight in WEIGHTS:
        step = steps.get(weight)
        if step is None or not (step["stable"]["requests"] and step["canary"]["requests"]):
            return f"The canary of {digest} has no requests of both arms from closed periods at {weight} %."
        if set(step["read_back"].values()) != {weight}:
            return f"The canary of {digest} was judged at {weight} % without its weight read back everywhere."
        if step["verdict"] != "pass":
            return f"The canary of {digest} went past {weight} % on the verdict {step['verdict']}."
    return None
