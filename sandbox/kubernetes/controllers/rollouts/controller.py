"""The Rollout controller: one reconcile, in the order of Argo's controller."""

from collections.abc import Iterable

from sandbox.kubernetes.api.objects.kinds import (
    ANALYSIS_RUNS,
    ANALYSIS_TEMPLATES,
    INGRESSES,
    REPLICA_SETS,
    ROLLOUTS,
    SERVICES,
    name_of,
    namespace_of,
)
from sandbox.kubernetes.api.storage.registry import Registry
from sandbox.kubernetes.api.storage.store import Change
from sandbox.kubernetes.controllers.loop import Name
from sandbox.kubernetes.controllers.replica_sets import controller_of
from sandbox.kubernetes.controllers.rollouts import status
from sandbox.kubernetes.controllers.rollouts.analysis import reconcile_analysis
from sandbox.kubernetes.controllers.rollouts.context import Context
from sandbox.kubernetes.controllers.rollouts.pauses import announce_pause, is_paused_manually, reconcile_pause
from sandbox.kubernetes.controllers.rollouts.revisions import ensure_new_replica_set, sync_revision, trim_history
from sandbox.kubernetes.controllers.rollouts.scaling import reconcile_replicas
from sandbox.kubernetes.controllers.rollouts.services import reconcile_services
from sandbox.kubernetes.controllers.rollouts.strategy import is_fully_promoted
from sandbox.kubernetes.controllers.rollouts.traffic import reconcile_traffic
from sandbox.kubernetes.controllers.rollouts.validation import find_problem

INVALID_RETRY_SECONDS = 0.5


class Rollouts:
    """Reconciles one Rollout."""

    delay = 0.06

    def __init__(self, registry: Registry, time_factor: float) -> None:
        self._registry = registry
        self._time_factor = time_factor

    def names_to_reconcile(self, change: Change) -> Iterable[Name]:
        namespace = namespace_of(change.current)
        if change.kind is ROLLOUTS:
            return [(namespace, name_of(change.current))]
        if change.kind in (REPLICA_SETS, ANALYSIS_RUNS):
            owner = controller_of(change.current)
            return [(namespace, owner["name"])] if owner and owner["kind"] == "Rollout" else []
        if change.kind in (SERVICES, INGRESSES, ANALYSIS_TEMPLATES):
            return [(namespace, name_of(rollout)) for rollout in self._registry.select(ROLLOUTS, namespace)]
        return []

    def reconcile(self, namespace: str, name: str) -> float | None:
        rollout = self._registry.find(ROLLOUTS, namespace, name)
        if rollout is None or rollout["metadata"].get("deletionTimestamp"):
            return None
        context = Context.load(self._registry, rollout, self._time_factor)
        if problem := find_problem(self._registry, rollout):
            status.write_invalid(context, problem)
            return INVALID_RETRY_SECONDS
        if announce_pause(context):
            status.write_conditions(context)
        else:
            _reconcile_canary(context)
        return context.requeue_after


def _reconcile_canary(context: Context) -> None:
    """Reconcile traffic before replicas and replicas before pauses. Write the status last."""
    if status.has_new_template_or_steps(context):
        sync_revision(context)
        status.write_reset(context)
        return
    ensure_new_replica_set(context)
    if context.status.get("stableRS") and is_fully_promoted(context.rollout):
        context.remove_abort = True
    trim_history(context)
    reconcile_services(context)
    reconcile_traffic(context)
    reconcile_analysis(context)
    if not is_paused_manually(context) and not reconcile_replicas(context):
        reconcile_pause(context)
    status.write_progress(context)
