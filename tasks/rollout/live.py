"""The system that a canary moves, as it is now: its Rollout, its Ingress and its load balancer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any, TypeVar

from clients.aws.alarms import read_firing_alarms
from clients.aws.load_balancer import find_load_balancer, read_rules
from clients.cluster import Cluster
from clients.manifests import read_manifests
from delivery.environment import Environment
from delivery.errors import Conflict, NotApplied, NotFound, NotPromoted, RolloutBroken, SettingsError, Unavailable
from delivery.journal.step_names import rollout_step
from delivery.release import Release
from delivery.rollout.conditions import is_controller_idle, why_broken
from delivery.rollout.manifests import Manifest, RolloutSpec, parse_manifests, parse_rollout_spec
from delivery.rollout.snapshot import RolloutSnapshot, parse_snapshot
from delivery.rollout.weights import (
    Arms,
    ListenerRule,
    WeightSource,
    find_arms,
    find_arms_by_hash,
    read_hostname,
    read_weight_sources,
    why_not_weight,
)
from tasks.rollout.clusters import open_cluster
from tasks.rollout.pods import read_words
from tasks.runs.waiting import poll_until
from tasks.state.lock import ensure_locked

Seen = TypeVar("Seen")
WRITES = 5


@dataclass(frozen=True)
class LiveRollout:
    """A connection to the cluster, and the names that the manifests give to what is looked at."""

    environment: Environment
    cluster: Cluster
    rollout_spec: RolloutSpec

    @property
    def step(self) -> str:
        return rollout_step(self.rollout_spec.rollout)

    def find(self) -> RolloutSnapshot | None:
        """The Rollout with its ReplicaSets and pods; None where it does not exist."""
        rollout = self.cluster.read("Rollout", self.rollout_spec.rollout, self.rollout_spec.namespace)
        if rollout is None:
            return None
        labels = selector_of(rollout)
        owned = (self.cluster.list(kind, self.rollout_spec.namespace, labels) for kind in ("ReplicaSet", "Pod"))
        return parse_snapshot(rollout, *owned)

    def read(self) -> RolloutSnapshot:
        """The same; NotFound where it does not exist."""
        snapshot = self.find()
        if snapshot is None:
            raise NotFound(f"There is no Rollout {self.rollout_spec.rollout} in {self.rollout_spec.namespace}.")
        return snapshot

    def look(self, pod_hash: str | None = None) -> RolloutSnapshot:
        """A reading while waiting for a revision makes sense; an error where it will not come.

        pod_hash: of the revision that is ours; None: whichever is the current one.
        """
        snapshot = self.read()
        expected = snapshot.current_hash if pod_hash is None else pod_hash
        if (reason := why_broken(snapshot, expected)) is not None:
            raise RolloutBroken(f"Rollout {snapshot.name} cannot go on: {reason}. {snapshot.describe_traffic()}")
        if (trouble := snapshot.trouble_of(expected)) is not None:
            which, words = snapshot.describe_revision(expected), self.last_words(snapshot, expected)
            raise NotPromoted(f"{which} does not serve: {trouble}.{words}", is_failure=True)
        return snapshot

    def last_words(self, snapshot: RolloutSnapshot, pod_hash: str) -> str:
        """Of the pod of this revision that is furthest from serving; empty where all are ready."""
        unready = [pod for pod in snapshot.pods_of(pod_hash) if pod.trouble or not pod.is_ready]
        worst = max(unready, key=lambda pod: (bool(pod.trouble), pod.restarts), default=None)
        return read_words(self.cluster, self.rollout_spec.namespace, worst) if worst else ""

    def read_object(self, kind: str, name: str) -> dict[str, Any]:
        found = self.cluster.read(kind, name, self.rollout_spec.namespace)
        if found is None:
            raise NotFound(f"There is no {kind} {name} in {self.rollout_spec.namespace}.")
        return found

    def find_load_balancer(self) -> str:
        """ARN of the load balancer that the Ingress has. Raises NotFound while it has none."""
        hostname = read_hostname(self.read_object("Ingress", self.rollout_spec.ingress))
        if hostname is None:
            raise NotFound(f"Ingress {self.rollout_spec.ingress} has no load balancer yet.")
        return find_load_balancer(hostname, self.environment.aws.region)

    def read_firing_alarms(self) -> dict[str, str]:
        """Name -> reason of each alarm of the environment that rings at this moment."""
        return read_firing_alarms(f"{self.environment.prefix}-", self.environment.aws.region)

    def observe(self) -> "Observation":
        return Observation(self)

    def read_weight_sources(self) -> tuple[WeightSource, ...]:
        """What the Rollout, the Ingress and every listener rule say of the canary's share at this moment."""
        return self.observe().read_weight_sources()

    def wait_for_weight(self, percent: int, deadline: timedelta | None = None) -> None:
        """Wait until Rollout, Ingress and every listener rule say this canary's share.

        deadline: the environment's weight_deadline unless told. Raises NotApplied that names each that says another.
        """
        self.wait_until(
            self.read_weight_sources,
            lambda weight_sources: why_not_weight(weight_sources, percent),
            f"the canary's weight of {percent} %",
            deadline=deadline or self.environment.canary.weight_deadline,
        )

    def wait_until(
        self, look: Callable[[], Seen], why_not: Callable[[Seen], str | None], wanted: str, *, deadline: timedelta
    ) -> Seen:
        """What was seen when nothing stood against it any more.

        wanted: continues "Waited 2 minutes for ". Raises NotApplied with what stood against it in the end.
        """
        poll = self.environment.canary.poll
        seen, is_enough = poll_until(look, lambda found: why_not(found) is None, poll=poll, deadline=deadline)
        if seen is None or not is_enough:
            why = "nothing answered" if seen is None else why_not(seen)
            raise NotApplied(f"Waited {deadline} for {wanted}: {why}.{self._explain(seen)}")
        return seen

    def _explain(self, seen: object) -> str:
        """What a person needs besides what stood against it."""
        if not isinstance(seen, RolloutSnapshot):
            return ""
        if is_controller_idle(seen):
            return " The Rollouts controller does not act: look whether it runs (kubectl get pods -n argo-rollouts)."
        return self.last_words(seen, seen.current_hash)

    def patch_status(
        self, release: Release, body: dict[str, Any], why_not: Callable[[RolloutSnapshot], str | None]
    ) -> None:
        """Merge body into the Rollout's status as it was read, and read it again where somebody wrote in between.

        why_not: asked of each reading; its sentence is raised as Conflict, and nothing is written. Raises LockLost or
        StopRequested before each write: who wrote in between may hold the environment.
        """
        for _ in range(WRITES):
            snapshot = self.read()
            if (reason := why_not(snapshot)) is not None:
                raise Conflict(f"Rollout {snapshot.name} was left as it is: {reason}.")
            ensure_locked(self.environment, release)
            try:
                self.cluster.patch_merge(
                    "Rollout",
                    snapshot.name,
                    snapshot.namespace,
                    {"status": body},
                    resource_version=snapshot.resource_version,
                    subresource="status",
                )
            except Conflict:
                continue
            return
        raise self.too_often_written()

    def too_often_written(self) -> Conflict:
        return Conflict(f"Rollout {self.rollout_spec.rollout} was written by others {WRITES} times in a row.")


@dataclass(frozen=True)
class Observation:
    """One look at the system: each object is read once, when it is first judged.

    Not all of them before the first is judged: a source that does not answer hides nothing that another one shows.
    """

    live: LiveRollout

    @cached_property
    def rollout(self) -> RolloutSnapshot:
        return self.live.read()

    @cached_property
    def ingress(self) -> dict[str, Any]:
        return self.live.read_object("Ingress", self.live.rollout_spec.ingress)

    @cached_property
    def services(self) -> tuple[dict[str, Any], ...]:
        names = self.live.rollout_spec.stable_service, self.live.rollout_spec.canary_service
        return tuple(self.live.read_object("Service", name) for name in names)

    @cached_property
    def bindings(self) -> tuple[dict[str, Any], ...]:
        return tuple(self.live.cluster.list("TargetGroupBinding", self.live.rollout_spec.namespace))

    @cached_property
    def rules(self) -> tuple[ListenerRule, ...]:
        """Of every listener; none while the Ingress has no load balancer."""
        hostname, region = read_hostname(self.ingress), self.live.environment.aws.region
        return read_rules(find_load_balancer(hostname, region), region) if hostname else ()

    def read_weight_sources(self) -> tuple[WeightSource, ...]:
        rollout_spec, ingress, rules = self.live.rollout_spec, self.ingress, self.rules
        return read_weight_sources(
            rollout_spec, self.rollout.weights, ingress, rules, find_arms(rollout_spec, self.bindings)
        )

    def find_counted_arms(self, stable_hash: str, canary_hash: str) -> Arms:
        """The target groups by the revision that each counts now; Unavailable where nobody can tell."""
        return find_arms_by_hash(self.bindings, self.services, stable_hash, canary_hash)


@contextmanager
def collecting_unavailable(unread: list[str]) -> Iterator[None]:
    """Around a look at one source: where it does not answer, that is kept, and the next one is looked at."""
    try:
        yield
    except Unavailable as error:
        unread.append(str(error).rstrip("."))


def connect_rollout(environment: Environment) -> LiveRollout:
    """The environment's system. Raises NotFound while its cluster does not exist."""
    return LiveRollout(environment, open_cluster(environment), read_rollout_spec(environment))


def read_rollout_spec(environment: Environment) -> RolloutSpec:
    """The system by its manifests. Raises SettingsError where they are for another namespace."""
    rollout_spec = parse_rollout_spec(read_objects(environment))
    if rollout_spec.namespace != environment.application.namespace:
        raise SettingsError(
            f"[application] namespace is {environment.application.namespace}, "
            f"the manifests are for {rollout_spec.namespace}. Nothing was touched."
        )
    return rollout_spec


def selector_of(rollout: Manifest) -> str:
    """Which pods are its own, for the cluster to list them by."""
    return ",".join(f"{key}={value}" for key, value in rollout["spec"]["selector"]["matchLabels"].items())


def read_objects(environment: Environment) -> tuple[Manifest, ...]:
    """The manifests' objects with their variables in them, for what does not depend on a release."""
    parsed = parse_manifests(read_manifests(environment.application.manifests))
    return tuple(manifest for found in parsed.values() for manifest in found)
