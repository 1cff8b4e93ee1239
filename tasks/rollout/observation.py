"""The objects of a canary, read from the cluster and from the load balancer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from clients.aws.load_balancer import find_load_balancer, read_rules
from clients.cluster import Cluster
from delivery.errors import NotFound, Unavailable
from delivery.rollout.manifests import Manifest, RolloutSpec
from delivery.rollout.snapshot import RolloutSnapshot, parse_snapshot
from delivery.rollout.weights import (
    ListenerRule,
    TargetGroups,
    WeightSource,
    find_target_groups,
    find_target_groups_by_hash,
    read_hostname,
    read_weight_sources,
)


@dataclass(frozen=True)
class Observation:
    """One observation of a canary: each object is read at most once, when it is first used.

    So each source is judged even if another one does not answer.
    """

    cluster: Cluster
    rollout_spec: RolloutSpec
    region: str

    @cached_property
    def rollout(self) -> RolloutSnapshot:
        return read_snapshot(self.cluster, self.rollout_spec)

    @cached_property
    def ingress(self) -> dict[str, Any]:
        return read_object(self.cluster, "Ingress", self.rollout_spec.ingress, self.rollout_spec.namespace)

    @cached_property
    def services(self) -> tuple[dict[str, Any], ...]:
        names = self.rollout_spec.stable_service, self.rollout_spec.canary_service
        return tuple(read_object(self.cluster, "Service", name, self.rollout_spec.namespace) for name in names)

    @cached_property
    def bindings(self) -> tuple[dict[str, Any], ...]:
        return tuple(self.cluster.list("TargetGroupBinding", self.rollout_spec.namespace))

    @cached_property
    def rules(self) -> tuple[ListenerRule, ...]:
        """The rules of all listeners. Empty if the Ingress has no load balancer yet."""
        hostname = read_hostname(self.ingress)
        return read_rules(find_load_balancer(hostname, self.region), self.region) if hostname else ()

    def read_weight_sources(self) -> tuple[WeightSource, ...]:
        ingress, rules = self.ingress, self.rules
        target_groups = find_target_groups(self.rollout_spec, self.bindings)
        return read_weight_sources(self.rollout_spec, self.rollout.weights, ingress, rules, target_groups)

    def find_counted_target_groups(self, stable_hash: str, canary_hash: str) -> TargetGroups:
        """The target groups that count each revision now. Raises Unavailable if that is unknown."""
        return find_target_groups_by_hash(self.bindings, self.services, stable_hash, canary_hash)


@contextmanager
def collecting_unavailable(messages: list[str]) -> Iterator[None]:
    """Appends the message of Unavailable instead of raising it, so that the next source is read too."""
    try:
        yield
    except Unavailable as error:
        messages.append(str(error).rstrip("."))


def find_snapshot(cluster: Cluster, rollout_spec: RolloutSpec) -> RolloutSnapshot | None:
    """The Rollout with its ReplicaSets and pods. None if it does not exist."""
    rollout = cluster.read("Rollout", rollout_spec.rollout, rollout_spec.namespace)
    if rollout is None:
        return None
    labels = selector_of(rollout)
    owned = (cluster.list(kind, rollout_spec.namespace, labels) for kind in ("ReplicaSet", "Pod"))
    return parse_snapshot(rollout, *owned)


def read_snapshot(cluster: Cluster, rollout_spec: RolloutSpec) -> RolloutSnapshot:
    """The Rollout with its ReplicaSets and pods. Raises NotFound if it does not exist."""
    snapshot = find_snapshot(cluster, rollout_spec)
    if snapshot is None:
        raise NotFound(f"Rollout {rollout_spec.rollout} does not exist in namespace {rollout_spec.namespace}.")
    return snapshot


def read_object(cluster: Cluster, kind: str, name: str, namespace: str) -> dict[str, Any]:
    """Raises NotFound if the object does not exist."""
    found = cluster.read(kind, name, namespace)
    if found is None:
        raise NotFound(f"{kind} {name} does not exist in namespace {namespace}.")
    return found


def selector_of(rollout: Manifest) -> str:
    """The label selector of the Rollout's pods."""
    return ",".join(f"{key}={value}" for key, value in rollout["spec"]["selector"]["matchLabels"].items())
