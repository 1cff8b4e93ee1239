"""A connection to the objects of a canary: the Rollout, the Ingress and the load balancer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from clients.aws.alarms import read_firing_alarms
from clients.aws.load_balancer import find_load_balancer
from clients.cluster import Cluster
from clients.manifests import read_manifests
from delivery.context import ReleaseContext
from delivery.environment import Environment
from delivery.errors import Conflict, NotApplied, NotFound, NotPromoted, RolloutBroken, SettingsError
from delivery.fields import format_duration
from delivery.journal.step_names import rollout_step
from delivery.rollout.conditions import is_waiting_for_controller, why_broken
from delivery.rollout.manifests import Manifest, RolloutSpec, parse_manifests, parse_rollout_spec
from delivery.rollout.snapshot import RolloutSnapshot
from delivery.rollout.weights import WeightSource, read_hostname, why_not_weight
from tasks.rollout.clusters import open_cluster
from tasks.rollout.observation import Observation, find_snapshot, read_object, read_snapshot
from tasks.rollout.pods import read_pod_diagnostics
from tasks.runs.waiting import poll_until
from tasks.state.lock import require_lock

Value = TypeVar("Value")
WRITE_ATTEMPTS = 5


@dataclass(frozen=True)
class LiveRollout:
    """A connection to the cluster, and the names of the objects that the manifests define."""

    environment: Environment
    cluster: Cluster
    rollout_spec: RolloutSpec

    @property
    def journal_step(self) -> str:
        """The name of the Rollout's step in the journal."""
        return rollout_step(self.rollout_spec.rollout)

    def find(self) -> RolloutSnapshot | None:
        """The Rollout with its ReplicaSets and pods. None if it does not exist."""
        return find_snapshot(self.cluster, self.rollout_spec)

    def read(self) -> RolloutSnapshot:
        """The Rollout with its ReplicaSets and pods. Raises NotFound if it does not exist."""
        return read_snapshot(self.cluster, self.rollout_spec)

    def read_unless_broken(self, pod_hash: str | None = None) -> RolloutSnapshot:
        """The snapshot. Raises RolloutBroken or NotPromoted if the revision cannot become available.

        pod_hash: of the revision; None: of the current one, whichever it is.
        """
        snapshot = self.read()
        expected = snapshot.current_hash if pod_hash is None else pod_hash
        if (reason := why_broken(snapshot, expected)) is not None:
            raise RolloutBroken(f"Rollout {snapshot.name} cannot continue: {reason}. {snapshot.describe_traffic()}")
        if (failure := snapshot.failure_of(expected)) is not None:
            revision, diagnostics = snapshot.describe_revision(expected), self.read_diagnostics(snapshot, expected)
            raise NotPromoted(f"{revision} does not serve: {failure}.{diagnostics}", is_failure=True)
        return snapshot

    def read_diagnostics(self, snapshot: RolloutSnapshot, pod_hash: str) -> str:
        """The diagnostics of the least ready pod of a revision, as a sentence. Empty if all pods are ready."""
        unready = [pod for pod in snapshot.pods_of(pod_hash) if pod.failure or not pod.is_ready]
        worst = max(unready, key=lambda pod: (bool(pod.failure), pod.restarts), default=None)
        return read_pod_diagnostics(self.cluster, self.rollout_spec.namespace, worst) if worst else ""

    def read_object(self, kind: str, name: str) -> dict[str, Any]:
        """An object in the namespace of the Rollout. Raises NotFound if it does not exist."""
        return read_object(self.cluster, kind, name, self.rollout_spec.namespace)

    def find_load_balancer(self) -> str:
        """The ARN of the Ingress's load balancer. Raises NotFound if it has none yet."""
        hostname = read_hostname(self.read_object("Ingress", self.rollout_spec.ingress))
        if hostname is None:
            raise NotFound(f"Ingress {self.rollout_spec.ingress} has no load balancer yet.")
        return find_load_balancer(hostname, self.environment.aws.region)

    def read_firing_alarms(self) -> dict[str, str]:
        """Name -> reason of each alarm of the environment that is in ALARM."""
        return read_firing_alarms(f"{self.environment.prefix}-", self.environment.aws.region)

    def observe(self) -> Observation:
        return Observation(self.cluster, self.rollout_spec, self.environment.aws.region)

    def read_weight_sources(self) -> tuple[WeightSource, ...]:
        """The canary's weight in the Rollout, in the Ingress and in each listener rule."""
        return self.observe().read_weight_sources()

    def wait_for_weight(self, weight_percent: int, deadline: timedelta | None = None) -> None:
        """Wait until all weight sources state this weight.

        deadline: by default weight_deadline of the environment. Raises NotApplied that names the sources that differ.
        """
        self.wait_until(
            self.read_weight_sources,
            lambda weight_sources: why_not_weight(weight_sources, weight_percent),
            f"the canary's weight of {weight_percent} %",
            deadline=deadline or self.environment.canary.weight_deadline,
        )

    def wait_until(
        self, read: Callable[[], Value], why_not: Callable[[Value], str | None], wanted: str, *, deadline: timedelta
    ) -> Value:
        """Read again and again until why_not returns None; return what was read last.

        why_not: the reason to continue to wait. wanted: continues "Waited 2m for ". Raises NotApplied with the
        last reason.
        """
        poll = self.environment.canary.poll
        value, is_reached = poll_until(read, lambda found: why_not(found) is None, poll=poll, deadline=deadline)
        if value is None or not is_reached:
            reason = "there was no answer" if value is None else why_not(value)
            raise NotApplied(f"Waited {format_duration(deadline)} for {wanted}: {reason}.{self._explain(value)}")
        return value

    def _explain(self, value: object) -> str:
        """What helps to find the cause, in addition to the reason: diagnostics, or else the command that shows it."""
        if not isinstance(value, RolloutSnapshot):
            return ""
        if is_waiting_for_controller(value):
            return " The Rollouts controller does not respond. Check that it runs: kubectl get pods -n argo-rollouts."
        check = f" Check it: kubectl argo rollouts get rollout {value.name} -n {value.namespace}."
        return self.read_diagnostics(value, value.current_hash) or check

    def patch_status(
        self, context: ReleaseContext, body: dict[str, Any], why_not: Callable[[RolloutSnapshot], str | None]
    ) -> None:
        """Merge body into the status of the Rollout. If another writer was faster, read the Rollout and try again.

        why_not: the reason not to write, from each snapshot; it is raised as Conflict. Raises LockLost or StopRequested
        before each attempt, because the other writer may have the lock by now.
        """
        for _ in range(WRITE_ATTEMPTS):
            snapshot = self.read()
            if (reason := why_not(snapshot)) is not None:
                raise Conflict(f"Rollout {snapshot.name} was not changed: {reason}.")
            require_lock(context)
            if self._write_status(snapshot, body):
                return
        raise self.too_many_conflicts()

    def _write_status(self, snapshot: RolloutSnapshot, body: dict[str, Any]) -> bool:
        """Whether the status was written. It is not if the Rollout has changed since the snapshot."""
        name, namespace, version = snapshot.name, snapshot.namespace, snapshot.resource_version
        patch = {"status": body}
        try:
            self.cluster.patch_merge("Rollout", name, namespace, patch, resource_version=version, subresource="status")
        except Conflict:
            return False
        return True

    def too_many_conflicts(self) -> Conflict:
        reason = f"another client changed it during each of {WRITE_ATTEMPTS} attempts"
        return Conflict(f"Rollout {self.rollout_spec.rollout} was not changed: {reason}.")


def connect_rollout(environment: Environment) -> LiveRollout:
    """Raises NotFound if the cluster does not exist yet."""
    return LiveRollout(environment, open_cluster(environment), read_rollout_spec(environment))


def read_rollout_spec(environment: Environment) -> RolloutSpec:
    """The names in the manifests. Raises SettingsError if the manifests are for another namespace."""
    rollout_spec = parse_rollout_spec(load_manifests(environment))
    if rollout_spec.namespace != environment.application.namespace:
        raise SettingsError(
            f"[application] namespace is {environment.application.namespace}, but the manifests are for "
            f"{rollout_spec.namespace}. Nothing was changed."
        )
    return rollout_spec


def load_manifests(environment: Environment) -> tuple[Manifest, ...]:
    """The objects of the manifests, with their variables: for what does not depend on a release."""
    parsed = parse_manifests(read_manifests(environment.application.manifests))
    return tuple(manifest for manifests in parsed.values() for manifest in manifests)
