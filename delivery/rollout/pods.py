"""A pod as it was read, why it does not serve, and what it said last."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from delivery.rollout.manifests import HASH_LABEL

# What does not mend itself: a container that is waiting for one of these will not serve.
TROUBLES = ("CrashLoopBackOff", "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
TROUBLES += ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")
LONGEST_WORDS = 400
# Shorter ones say nothing by themselves, and are found in every other word.
SHORTEST_SECRET = 4
MASK = "***"


@dataclass(frozen=True)
class Pod:
    """trouble: why a container cannot serve and will not by itself, as the kubelet says it.

    waits_for: why it is not ready; None for one that is. container: the one that keeps it, or its first.
    secrets: names of the Secrets whose values are in its environment or its volumes.
    """

    name: str
    hash: str
    images: tuple[str, ...]
    is_ready: bool
    restarts: int
    is_ending: bool = False
    trouble: str | None = None
    waits_for: str | None = None
    container: str = ""
    secrets: tuple[str, ...] = ()


def parse_pod(found: Mapping[str, Any]) -> Pod:
    metadata, status = found["metadata"], found.get("status", {})
    containers = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    conditions = {item["type"]: item for item in status.get("conditions") or ()}
    is_ready = conditions.get("Ready", {}).get("status") == "True"
    troubled = [container for container in containers if _trouble(container)]
    waiting = troubled or [container for container in containers if not container.get("ready")] or containers
    return Pod(
        name=metadata["name"],
        hash=metadata.get("labels", {}).get(HASH_LABEL, ""),
        images=tuple(container["image"] for container in found["spec"]["containers"]),
        is_ready=is_ready,
        restarts=sum(container.get("restartCount", 0) for container in containers),
        is_ending="deletionTimestamp" in metadata,
        trouble=_trouble(troubled[0]) if troubled else None,
        waits_for=None if is_ready else _waits_for(conditions, waiting[0] if waiting else {}),
        container=waiting[0].get("name", "") if waiting else "",
        secrets=tuple(sorted(_secrets(found["spec"]))),
    )


def describe_words(events: Iterable[Mapping[str, Any]], log: str, secrets: Sequence[str]) -> str:
    """The last warning about a pod and the last lines of its log, as continuation of a sentence; else empty.

    events: of the pod, in any order. secrets: values that are masked wherever they occur.
    """
    warnings = sorted((event for event in events if event.get("type") == "Warning"), key=_moment)
    said = [_masked(f"{warnings[-1].get('reason')}: {warnings[-1].get('message')}", secrets)] if warnings else []
    # Masked before it is joined and cut: what went through a secret would keep it from being found.
    lines = " | ".join(line.strip() for line in _masked(log, secrets).splitlines() if line.strip())
    said += [f"its log ends: {lines[-LONGEST_WORDS:]}"] if lines else []
    return "; ".join(said)


def _masked(text: str, secrets: Sequence[str]) -> str:
    """A log has a secret of many lines, as keys are, a line at a time."""
    lines = {line.strip() for secret in secrets for line in secret.splitlines()}
    for secret in sorted({*secrets, *lines}, key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, MASK)
    return text


def _trouble(container: Mapping[str, Any]) -> str | None:
    waiting = container.get("state", {}).get("waiting") or {}
    if waiting.get("reason") not in TROUBLES:
        return None
    ended = container.get("lastState", {}).get("terminated") or {}
    last = f"it ended with exit code {ended['exitCode']}" if "exitCode" in ended else waiting.get("message", "")
    return f"{waiting['reason']} ({last})" if last else waiting["reason"]


def _waits_for(conditions: Mapping[str, Mapping[str, Any]], container: Mapping[str, Any]) -> str:
    scheduled = conditions.get("PodScheduled", {})
    if scheduled.get("status") == "False":
        return f"it cannot be scheduled: {scheduled.get('message') or scheduled.get('reason', 'no reason is given')}"
    if waiting := container.get("state", {}).get("waiting"):
        return f"container {container.get('name')} waits: {waiting.get('reason', 'no reason is given')}"
    if conditions.get("ContainersReady", {}).get("status") == "True":
        closed = [_gate(found) for name, found in conditions.items() if "/" in name and found.get("status") != "True"]
        return f"its readiness gates are not open: {', '.join(closed) or 'none was written yet'}"
    return (
        f"container {container.get('name')} runs and is not ready"
        if container
        else "the kubelet has not told of it yet"
    )


def _gate(condition: Mapping[str, Any]) -> str:
    said = condition.get("message")
    return f"{condition['type']} ({said})" if said else condition["type"]


def _secrets(spec: Mapping[str, Any]) -> set[str]:
    containers = [*(spec.get("initContainers") or ()), *spec["containers"]]
    variables = [variable for container in containers for variable in container.get("env") or ()]
    sources = [source for container in containers for source in container.get("envFrom") or ()]
    volumes = spec.get("volumes") or ()
    projected = [source for volume in volumes for source in (volume.get("projected") or {}).get("sources") or ()]
    names = [(variable.get("valueFrom") or {}).get("secretKeyRef", {}).get("name") for variable in variables]
    names += [(source.get("secretRef") or {}).get("name") for source in sources]
    names += [(volume.get("secret") or {}).get("secretName") for volume in volumes]
    names += [(source.get("secret") or {}).get("name") for source in projected]
    return {name for name in names if name}


def _moment(event: Mapping[str, Any]) -> str:
    return event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or ""
