"""A snapshot of a Rollout with its ReplicaSets and its pods."""

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
    """The weights that the controller last wrote into the status, and the pod-template hashes that they are for."""

    canary_weight_percent: int
    canary_hash: str
    stable_weight_percent: int
    stable_hash: str


@dataclass(frozen=True)
class ReplicaSet:
    """A revision of the Rollout.

    hash: its pod-template hash. revision: its number, which changes when the revision is used again.
    template: as it is in the cluster, without the hash label. created_at: RFC 3339.
    """

    name: str
    hash: str
    revision: int
    image: str
    available: int
    created_at: str
    template: Mapping[str, Any]

    @property
    def artifact_digest(self) -> str:
        """`sha256:...` of its image. Empty if the image is not referred to by its digest."""
        digest = self.image.rpartition("@")[2]
        return digest if digest.startswith("sha256:") else ""


@dataclass(frozen=True)
class Writer:
    """A field manager of the Rollout, other than Slipway and the Rollouts controller.

    at: RFC 3339; empty if the cluster did not record the time. owns_replicas: whether it owns spec.replicas.
    """

    manager: str
    at: str
    owns_replicas: bool


@dataclass(frozen=True)
class RolloutSnapshot:
    """A Rollout at one moment. Its status is only meaningful if the controller has observed the specification.

    steps: of the live Rollout. step_index: the current step, len(steps) at the end, None if there are no steps.
    current_hash, stable_hash: pod-template hashes of the template and of the stable revision.
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
    is_abort_requested: bool
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
        """Whether a canary is under way, or was aborted and its template is still in the Rollout."""
        return bool(self.stable_hash) and self.current_hash != self.stable_hash

    @property
    def current(self) -> ReplicaSet | None:
        return self.replica_set(self.current_hash)

    @property
    def stable(self) -> ReplicaSet | None:
        return self.replica_set(self.stable_hash)

    @property
    def canary_weight_percent(self) -> int:
        """The weight in the status. 0 if the controller has written no weights."""
        return self.weights.canary_weight_percent if self.weights else 0

    def replica_set(self, pod_hash: str) -> ReplicaSet | None:
        return next((replica_set for replica_set in self.replica_sets if replica_set.hash == pod_hash), None)

    def describe_revision(self, pod_hash: str) -> str:
        """The beginning of a sentence: `The new revision 4 (hash 7c9f)`. Without the number if it has no ReplicaSet."""
        replica_set, role = self.replica_set(pod_hash), "stable" if pod_hash == self.stable_hash else "new"
        number = f" {replica_set.revision}" if replica_set else ""
        return f"The {role} revision{number} (hash {pod_hash})"

    def pods_of(self, pod_hash: str) -> tuple[Pod, ...]:
        return tuple(pod for pod in self.pods if pod.hash == pod_hash)

    def writers_since(self, pod_hash: str) -> tuple[Writer, ...]:
        """The other writers of the Rollout since the revision was created, latest last.

        The cluster does not record when the Rollout was scaled. Such a writer is included: the apply of this release
        took spec.replicas from all earlier owners.
        """
        revision = self.replica_set(pod_hash)
        return tuple(
            writer for writer in self.writers if revision and (not writer.at or writer.at >= revision.created_at)
        )

    def describe_unready_pods(self, pod_hash: str) -> str:
        """Each pod of a revision that is not ready, with the reason. Empty if all are ready."""
        unready = [pod for pod in self.pods_of(pod_hash) if pod.unready_reason]
        return "; ".join(f"pod {pod.name}: {pod.unready_reason}" for pod in unready)

    def describe_traffic(self) -> str:
        """The weights in the status, as a sentence."""
        weights = self.weights
        if weights is None:
            return "Its status has no weights."
        return (
            f"The weights in its status: canary (hash {weights.canary_hash}) {weights.canary_weight_percent} %, "
            f"stable (hash {weights.stable_hash}) {weights.stable_weight_percent} %."
        )

    def failure_of(self, pod_hash: str) -> str | None:
        """The first pod of a revision that cannot serve, with the reason."""
        failed = next((pod for pod in self.pods_of(pod_hash) if pod.failure), None)
        return f"pod {failed.name}: {failed.failure}" if failed else None


def parse_snapshot(
    rollout: Mapping[str, Any], replica_sets: Iterable[Mapping[str, Any]], pods: Iterable[Mapping[str, Any]]
) -> RolloutSnapshot:
    """The Rollout with the ReplicaSets that it owns, newest revision first, and their pods."""
    metadata, spec = rollout["metadata"], rollout["spec"]
    owned = [parse_replica_set(item) for item in replica_sets if _controller_uid(item) == metadata["uid"]]
    hashes = {replica_set.hash for replica_set in owned}
    return RolloutSnapshot(
        name=metadata["name"],
        namespace=metadata["namespace"],
        resource_version=metadata["resourceVersion"],
        generation=metadata.get("generation", 0),
        # The controller treats a missing number as 1.
        replicas=spec.get("replicas", 1),
        steps=tuple(spec.get("strategy", {}).get("canary", {}).get("steps", [])),
        is_paused_manually=bool(spec.get("paused")),
        rollback_window=spec.get("rollbackWindow", {}).get("revisions") or 0,
        replica_sets=tuple(sorted(owned, key=lambda replica_set: replica_set.revision, reverse=True)),
        pods=tuple(pod for pod in map(parse_pod, pods) if pod.hash in hashes),
        writers=parse_writers(metadata.get("managedFields") or ()),
        **_status(rollout.get("status", {})),
    )


def _status(status: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a RolloutSnapshot that the controller writes."""
    return {
        "observed_generation": status.get("observedGeneration", ""),
        "phase": status.get("phase", ""),
        "message": status.get("message", ""),
        "step_index": status.get("currentStepIndex"),
        "current_hash": status.get("currentPodHash", ""),
        "stable_hash": status.get("stableRS", ""),
        "pause_reasons": tuple(pause["reason"] for pause in status.get("pauseConditions") or ()),
        "is_paused_by_controller": bool(status.get("controllerPause")),
        "is_abort_requested": bool(status.get("abort")),
        "aborted_at": status.get("abortedAt"),
        "conditions": {item["type"]: _condition(item) for item in status.get("conditions") or ()},
        "weights": _weights(status.get("canary", {}).get("weights")),
    }


def parse_replica_set(replica_set: Mapping[str, Any]) -> ReplicaSet:
    metadata, template = replica_set["metadata"], replica_set["spec"]["template"]
    labels = {key: value for key, value in template["metadata"].get("labels", {}).items() if key != HASH_LABEL}
    return ReplicaSet(
        name=metadata["name"],
        hash=metadata.get("labels", {}).get(HASH_LABEL, ""),
        revision=int(metadata.get("annotations", {}).get(REVISION, 0)),
        image=template["spec"]["containers"][0]["image"],
        available=replica_set.get("status", {}).get("availableReplicas", 0),
        created_at=metadata.get("creationTimestamp", ""),
        template={**template, "metadata": {**template["metadata"], "labels": labels}},
    )


def parse_writers(entries: Iterable[Mapping[str, Any]]) -> tuple[Writer, ...]:
    """entries: managedFields. The writers are sorted by time; those without a time come last."""
    others = [entry for entry in entries if entry.get("manager") not in (FIELD_MANAGER, CONTROLLER)]
    writers = [Writer(entry.get("manager", ""), entry.get("time", ""), _owns_replicas(entry)) for entry in others]
    return tuple(sorted(writers, key=lambda writer: (not writer.at, writer.at)))


def _owns_replicas(entry: Mapping[str, Any]) -> bool:
    return "f:replicas" in (entry.get("fieldsV1") or {}).get("f:spec", {})


def _controller_uid(replica_set: Mapping[str, Any]) -> str | None:
    owners = replica_set["metadata"].get("ownerReferences") or ()
    return next((owner["uid"] for owner in owners if owner.get("controller")), None)


def _condition(item: Mapping[str, Any]) -> Condition:
    return Condition(item["status"], item.get("reason", ""), item.get("message", ""))


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
