"""One look at a Rollout, its ReplicaSets and its pods, as values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from delivery.rollout.manifests import FIELD_MANAGER, HASH_LABEL
from delivery.rollout.pods import Pod, parse_pod

CONTROLLER = "rollouts-controller"
REVISION = "rollout.argoproj.io/revision"


@dataclass(frozen=True)
class Condition:
    status: str
    reason: str = ""
    message: str = ""


@dataclass(frozen=True)
class Weights:
    """What the controller last wrote, in percent, and to which pod templates."""

    canary_weight_percent: int
    canary_hash: str
    stable_weight_percent: int
    stable_hash: str


@dataclass(frozen=True)
class ReplicaSet:
    """A revision of the Rollout. template: as the cluster holds it, without the hash label. created_at: RFC 3339."""

    name: str
    hash: str
    revision: int
    image: str
    available: int
    created_at: str
    template: Mapping[str, Any]

    @property
    def artifact_digest(self) -> str:
        """`sha256:...` of its image; empty where the image is not named by one."""
        digest = self.image.rpartition("@")[2]
        return digest if digest.startswith("sha256:") else ""


@dataclass(frozen=True)
class Writer:
    """Who wrote the Rollout besides this release and its controller. at: RFC 3339. owns_replicas: spec.replicas is
    theirs.
    """

    manager: str
    at: str
    owns_replicas: bool


@dataclass(frozen=True)
class RolloutSnapshot:
    """A Rollout at one moment; of its status only what the controller has had time to observe is worth anything.

    steps: of the live Rollout. step_index: the step under way, len(steps) at the end, None where there are no steps.
    """

    name: str
    namespace: str
    resource_version: str
    generation: int
    observed_generation: str
    replicas: int
    steps: tuple[Mapping[str, Any], ...]
    phase: str
    message: str
    step_index: int | None
    current_hash: str
    stable_hash: str
    pause_reasons: tuple[str, ...]
    is_paused_by_controller: bool
    is_paused_manually: bool
    is_abort_asked: bool
    aborted_at: str | None
    conditions: Mapping[str, Condition]
    weights: Weights | None
    rollback_window: int
    replica_sets: tuple[ReplicaSet, ...] = ()
    pods: tuple[Pod, ...] = ()
    writers: tuple[Writer, ...] = ()

    @property
    def is_observed(self) -> bool:
        return self.observed_generation == str(self.generation)

    @property
    def is_unfinished(self) -> bool:
        """Whether a canary is under way, or was aborted and its template never put back."""
        return bool(self.stable_hash) and self.current_hash != self.stable_hash

    @property
    def current(self) -> ReplicaSet | None:
        return self.replica_set(self.current_hash)

    @property
    def stable(self) -> ReplicaSet | None:
        return self.replica_set(self.stable_hash)

    @property
    def canary_weight_percent(self) -> int:
        """The canary's share of the traffic by the controller's word; 0 where it has not split any."""
        return self.weights.canary_weight_percent if self.weights else 0

    def replica_set(self, pod_hash: str) -> ReplicaSet | None:
        return next((found for found in self.replica_sets if found.hash == pod_hash), None)

    def describe_revision(self, pod_hash: str) -> str:
        """Begins a sentence: `The new revision, 4 (hash 7c9f),`, without a number once its ReplicaSet is gone."""
        found, which = self.replica_set(pod_hash), "stable" if pod_hash == self.stable_hash else "new"
        numbered = f", {found.revision} (hash {pod_hash})," if found else f" (hash {pod_hash})"
        return f"The {which} revision{numbered}"

    def pods_of(self, pod_hash: str) -> tuple[Pod, ...]:
        return tuple(pod for pod in self.pods if pod.hash == pod_hash)

    def writers_since(self, pod_hash: str) -> tuple[Writer, ...]:
        """Who else wrote the Rollout since this revision was made, latest last.

        Of who scaled it the cluster keeps no time. They count: what we applied took the replicas from those before.
        """
        made = self.replica_set(pod_hash)
        return tuple(writer for writer in self.writers if made and (not writer.at or writer.at >= made.created_at))

    def describe_unready(self, pod_hash: str) -> str:
        """Each pod of a revision that is not ready, with the reason; empty where all are."""
        waiting = [pod for pod in self.pods_of(pod_hash) if pod.waits_for]
        return "; ".join(f"pod {pod.name}: {pod.waits_for}" for pod in waiting)

    def describe_traffic(self) -> str:
        """Where the controller last sent the traffic, by its own word."""
        if self.weights is None:
            return "Its controller has not split any traffic."
        shares = self.weights.canary_weight_percent, self.weights.canary_hash, self.weights.stable_weight_percent
        return "Its controller sends {} % to {} and {} % to {}.".format(*shares, self.weights.stable_hash)

    def trouble_of(self, pod_hash: str) -> str | None:
        """The first pod of a revision that cannot serve, with the reason."""
        troubled = next((pod for pod in self.pods_of(pod_hash) if pod.trouble), None)
        return f"pod {troubled.name}: {troubled.trouble}" if troubled else None


def parse_snapshot(
    rollout: Mapping[str, Any], replica_sets: Iterable[Mapping[str, Any]], pods: Iterable[Mapping[str, Any]]
) -> RolloutSnapshot:
    """The Rollout with the ReplicaSets that it owns, newest revision first, and their pods."""
    metadata, spec = rollout["metadata"], rollout["spec"]
    owned = [parse_replica_set(found) for found in replica_sets if _owner(found) == metadata["uid"]]
    hashes = {found.hash for found in owned}
    return RolloutSnapshot(
        name=metadata["name"],
        namespace=metadata["namespace"],
        resource_version=metadata["resourceVersion"],
        generation=metadata.get("generation", 0),
        # The controller treats a missing number as one.
        replicas=spec.get("replicas", 1),
        steps=tuple(spec.get("strategy", {}).get("canary", {}).get("steps", [])),
        is_paused_manually=bool(spec.get("paused")),
        rollback_window=spec.get("rollbackWindow", {}).get("revisions") or 0,
        replica_sets=tuple(sorted(owned, key=lambda found: found.revision, reverse=True)),
        pods=tuple(pod for pod in map(parse_pod, pods) if pod.hash in hashes),
        writers=parse_writers(metadata.get("managedFields") or ()),
        **_status(rollout.get("status", {})),
    )


def _status(status: Mapping[str, Any]) -> dict[str, Any]:
    """What the controller says, by the names of a Reading."""
    return {
        "observed_generation": status.get("observedGeneration", ""),
        "phase": status.get("phase", ""),
        "message": status.get("message", ""),
        "step_index": status.get("currentStepIndex"),
        "current_hash": status.get("currentPodHash", ""),
        "stable_hash": status.get("stableRS", ""),
        "pause_reasons": tuple(pause["reason"] for pause in status.get("pauseConditions") or ()),
        "is_paused_by_controller": bool(status.get("controllerPause")),
        "is_abort_asked": bool(status.get("abort")),
        "aborted_at": status.get("abortedAt"),
        "conditions": {found["type"]: _condition(found) for found in status.get("conditions") or ()},
        "weights": _weights(status.get("canary", {}).get("weights")),
    }


def parse_replica_set(found: Mapping[str, Any]) -> ReplicaSet:
    metadata, template = found["metadata"], found["spec"]["template"]
    labels = {key: value for key, value in template["metadata"].get("labels", {}).items() if key != HASH_LABEL}
    return ReplicaSet(
        name=metadata["name"],
        hash=metadata.get("labels", {}).get(HASH_LABEL, ""),
        revision=int(metadata.get("annotations", {}).get(REVISION, 0)),
        image=template["spec"]["containers"][0]["image"],
        available=found.get("status", {}).get("availableReplicas", 0),
        created_at=metadata.get("creationTimestamp", ""),
        template={**template, "metadata": {**template["metadata"], "labels": labels}},
    )


def parse_writers(entries: Iterable[Mapping[str, Any]]) -> tuple[Writer, ...]:
    """managedFields: every manager but ours and the controller, latest last; whose time is not kept comes last."""
    others = [entry for entry in entries if entry.get("manager") not in (FIELD_MANAGER, CONTROLLER)]
    writers = [Writer(entry.get("manager", ""), entry.get("time", ""), _owns_replicas(entry)) for entry in others]
    return tuple(sorted(writers, key=lambda writer: (not writer.at, writer.at)))


def _owns_replicas(entry: Mapping[str, Any]) -> bool:
    return "f:replicas" in (entry.get("fieldsV1") or {}).get("f:spec", {})


def _owner(found: Mapping[str, Any]) -> str | None:
    owners = found["metadata"].get("ownerReferences") or ()
    return next((owner["uid"] for owner in owners if owner.get("controller")), None)


def _condition(found: Mapping[str, Any]) -> Condition:
    return Condition(found["status"], found.get("reason", ""), found.get("message", ""))


def _weights(written: Mapping[str, Any] | None) -> Weights | None:
    if written is None:
        return None
    canary, stable = written.get("canary", {}), written.get("stable", {})
    return Weights(
        canary_weight_percent=canary.get("weight", 0),
        canary_hash=canary.get("podTemplateHash", ""),
        stable_weight_percent=stable.get("weight", 0),
        stable_hash=stable.get("podTemplateHash", ""),
    )
