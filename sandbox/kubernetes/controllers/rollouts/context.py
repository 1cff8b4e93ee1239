"""One reconcile of one Rollout: the objects that it read, and its decisions for the status."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self

from sandbox.kubernetes.api.objects.kinds import REPLICA_SETS, Object, name_of, namespace_of, value_at
from sandbox.kubernetes.api.objects.pod_defaults import with_template_defaults
from sandbox.kubernetes.api.storage.registry import Registry, Write
from sandbox.kubernetes.clock import parse
from sandbox.kubernetes.controllers import events
from sandbox.kubernetes.controllers.replica_sets import owned_by
from sandbox.kubernetes.controllers.rollouts.strategy import HASH_LABEL, REVISION, status_of

MANAGER = "rollouts-controller"


@dataclass
class Context:
    """add_pause, remove_pause, clear_pauses, add_abort, remove_abort, is_inconclusive: decisions for the status.

    analysis_run: the run of the current update.
    new_name: the name of the ReplicaSet that has the Rollout's template.
    weights: those last written to the Ingress.
    requeue_after: seconds until the next reconcile; None if only a change requires one.
    """

    registry: Registry
    time_factor: float
    rollout: Object
    replica_sets: list[Object]
    add_pause: bool = False
    remove_pause: bool = False
    clear_pauses: bool = False
    add_abort: str | None = None
    is_inconclusive: bool = False
    remove_abort: bool = False
    conditions: list[Object] = field(default_factory=list)
    weights: Object | None = None
    analysis_run: Object | None = None
    new_name: str = ""
    requeue_after: float | None = None

    @classmethod
    def load(cls, registry: Registry, rollout: Object, time_factor: float) -> Self:
        owned = owned_by(registry.select(REPLICA_SETS, namespace_of(rollout)), rollout)
        owned.sort(key=lambda replica_set: (parse(replica_set["metadata"]["creationTimestamp"]), revision(replica_set)))
        weights = value_at(rollout, "status.canary.weights")
        conditions = [dict(condition) for condition in status_of(rollout).get("conditions") or []]
        context = cls(registry, time_factor, rollout, owned, weights=weights, conditions=conditions)
        context.new_name = context.find_new_name()
        return context

    @property
    def namespace(self) -> str:
        return namespace_of(self.rollout)

    @property
    def status(self) -> Object:
        return status_of(self.rollout)

    @property
    def is_aborted(self) -> bool:
        return not self.remove_abort and (self.add_abort is not None or bool(self.status.get("abort")))

    @property
    def new(self) -> Object | None:
        """The ReplicaSet that has the Rollout's template."""
        return next((found for found in self.replica_sets if name_of(found) == self.new_name), None)

    @property
    def stable(self) -> Object | None:
        """The ReplicaSet that was promoted last."""
        wanted = self.status.get("stableRS")
        return next((found for found in self.replica_sets if hash_of(found) == wanted), None)

    @property
    def others(self) -> list[Object]:
        """ReplicaSets that are neither new nor stable, oldest first."""
        kept = {name_of(found) for found in (self.new, self.stable) if found}
        return [found for found in self.replica_sets if name_of(found) not in kept]

    def find_new_name(self) -> str:
        """Name of the ReplicaSet with the Rollout's template, default values aside; empty if it does not exist yet."""
        wanted = comparable(self.rollout["spec"].get("template") or {})
        same = (name_of(found) for found in self.replica_sets if comparable(found["spec"]["template"]) == wanted)
        return next(same, "")

    def seconds(self, seconds: float) -> timedelta:
        """A duration in a manifest, shortened by the sandbox's time factor."""
        return timedelta(seconds=seconds / self.time_factor)

    def requeue(self, after: timedelta) -> None:
        seconds = max(after.total_seconds(), 0.0)
        self.requeue_after = seconds if self.requeue_after is None else min(self.requeue_after, seconds)

    def record_event(self, reason: str, message: str, *, warning: bool = False) -> None:
        events.record(self.registry, MANAGER, self.rollout, reason, message, warning=warning)

    def update_replica_set(self, changed: Object) -> None:
        """Write a ReplicaSet, and use the written object for the rest of this reconcile."""
        name = name_of(changed)
        written = self.registry.change(REPLICA_SETS, self.namespace, name, lambda _: changed, Write(MANAGER))
        self.replica_sets = [written if name_of(found) == name else found for found in self.replica_sets]


def hash_of(replica_set: Object | None) -> str:
    return (value_at(replica_set, "metadata.labels") or {}).get(HASH_LABEL, "")


def revision(obj: Object) -> int:
    return int((obj["metadata"].get("annotations") or {}).get(REVISION, 0))


def available(replica_set: Object | None) -> int:
    return value_at(replica_set, "status.availableReplicas") or 0


def comparable(template: Object) -> Object:
    """The template as the API server stores it, without the pod template hash."""
    filled = with_template_defaults(template)
    metadata = filled.get("metadata") or {}
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key != HASH_LABEL}
    return {"spec": filled["spec"], "labels": labels, "annotations": metadata.get("annotations") or {}}
