"""The status of a pod: why it does not serve, its last warning, and the end of its log."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from delivery.rollout.manifests import HASH_LABEL

# Reasons of a waiting container that does not become ready without a change.
FATAL_REASONS = ("CrashLoopBackOff", "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
FATAL_REASONS += ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")
MAX_LOG_CHARACTERS = 400
# A shorter value is no secret, and is part of many words.
MIN_SECRET_CHARACTERS = 4
MASK = "***"


@dataclass(frozen=True)
class Pod:
    """A pod of the Rollout. hash: its pod-template hash.

    failure: why a container cannot serve without a change, as the kubelet reports it. unready_reason: None if the pod
    is ready. container: the one that failed or is not ready, or the first one. secrets: the names of the Secrets that
    its environment or its volumes use.
    """

    name: str
    hash: str
    images: tuple[str, ...]
    is_ready: bool
    restarts: int
    is_terminating: bool = False
    failure: str | None = None
    unready_reason: str | None = None
    container: str = ""
    secrets: tuple[str, ...] = ()


def parse_pod(pod: Mapping[str, Any]) -> Pod:
    metadata, status = pod["metadata"], pod.get("status", {})
    containers = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    conditions = {condition["type"]: condition for condition in status.get("conditions") or ()}
    is_ready = conditions.get("Ready", {}).get("status") == "True"
    failed = [container for container in containers if _failure(container)]
    suspects = failed or [container for container in containers if not container.get("ready")] or containers
    return Pod(
        name=metadata["name"],
        hash=metadata.get("labels", {}).get(HASH_LABEL, ""),
        images=tuple(container["image"] for container in pod["spec"]["containers"]),
        is_ready=is_ready,
        restarts=sum(container.get("restartCount", 0) for container in containers),
        is_terminating="deletionTimestamp" in metadata,
        failure=_failure(failed[0]) if failed else None,
        unready_reason=None if is_ready else _unready_reason(conditions, suspects[0] if suspects else {}),
        container=suspects[0].get("name", "") if suspects else "",
        secrets=tuple(sorted(_secrets(pod["spec"]))),
    )


def describe_diagnostics(events: Iterable[Mapping[str, Any]], log: str, secrets: Sequence[str]) -> str:
    """The last warning event of a pod and the end of its log, as part of a sentence. Empty if there is neither.

    events: of the pod, in any order. secrets: the values to mask.
    """
    warnings = sorted((event for event in events if event.get("type") == "Warning"), key=_time_of)
    texts = [_mask(f"{event.get('reason')}: {event.get('message')}", secrets) for event in warnings[-1:]]
    parts = [f"last warning {text}" for text in texts]
    # Mask the log before it is joined and cut. Otherwise a secret that was cut would not be recognized.
    lines = " | ".join(line.strip() for line in _mask(log, secrets).splitlines() if line.strip())
    parts += [f"end of its log: {lines[-MAX_LOG_CHARACTERS:]}"] if lines else []
    return "; ".join(parts)


def _mask(text: str, secrets: Sequence[str]) -> str:
    """Each line of a secret is masked on its own, because a log can have text between the lines of a key."""
    lines = {line.strip() for secret in secrets for line in secret.splitlines()}
    for secret in sorted({*secrets, *lines}, key=len, reverse=True):
        if len(secret) >= MIN_SECRET_CHARACTERS:
            text = text.replace(secret, MASK)
    return text


def _failure(container: Mapping[str, Any]) -> str | None:
    waiting = container.get("state", {}).get("waiting") or {}
    if waiting.get("reason") not in FATAL_REASONS:
        return None
    terminated = container.get("lastState", {}).get("terminated") or {}
    detail = f"exit code {terminated['exitCode']}" if "exitCode" in terminated else waiting.get("message", "")
    return f"{waiting['reason']} ({detail})" if detail else waiting["reason"]


def _unready_reason(conditions: Mapping[str, Mapping[str, Any]], container: Mapping[str, Any]) -> str:
    scheduled = conditions.get("PodScheduled", {})
    if scheduled.get("status") == "False":
        return f"it cannot be scheduled: {scheduled.get('message') or scheduled.get('reason', 'no reason is given')}"
    if waiting := container.get("state", {}).get("waiting"):
        return f"container {container.get('name')} is waiting: {waiting.get('reason', 'no reason is given')}"
    if conditions.get("ContainersReady", {}).get("status") == "True":
        return f"its readiness gates are not True: {_describe_gates(conditions) or 'no condition is written yet'}"
    if not container:
        return "the kubelet has not reported its status yet"
    return f"container {container.get('name')} is running and not ready"


def _describe_gates(conditions: Mapping[str, Mapping[str, Any]]) -> str:
    """The readiness gates that are not True. Their names contain a slash, unlike those of the pod's own conditions."""
    gates = [condition for name, condition in conditions.items() if "/" in name and condition.get("status") != "True"]
    return ", ".join(f"{gate['type']}{f' ({message})' if (message := gate.get('message')) else ''}" for gate in gates)


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


def _time_of(event: Mapping[str, Any]) -> str:
    return event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or ""
