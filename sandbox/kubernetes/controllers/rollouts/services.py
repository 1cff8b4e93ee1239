"""The stable and the canary Service. Each selects the pods of its ReplicaSet."""

from sandbox.kubernetes.api.objects.kinds import SERVICES, Object, name_of, value_at
from sandbox.kubernetes.api.storage.registry import Write
from sandbox.kubernetes.controllers.rollouts.context import MANAGER, Context, available, hash_of
from sandbox.kubernetes.controllers.rollouts.strategy import HASH_LABEL, canary_of

MANAGED_BY = "argo-rollouts.argoproj.io/managed-by-rollouts"


def reconcile_services(context: Context) -> None:
    """Point the stable Service at the stable ReplicaSet and the canary Service at the new one."""
    canary = canary_of(context.rollout)
    point_service_at(context, canary.get("stableService"), context.stable)
    point_service_at(context, canary.get("canaryService"), context.new)


def point_service_at(context: Context, name: str | None, replica_set: Object | None) -> None:
    """Switch the Service's selector, unless the ReplicaSet has too few available pods."""
    if not name or replica_set is None:
        return
    service = context.registry.get(SERVICES, context.namespace, name)
    before, wanted = (value_at(service, "spec.selector") or {}).get(HASH_LABEL, ""), hash_of(replica_set)
    is_adopted = MANAGED_BY in (service["metadata"].get("annotations") or {})
    if before == wanted and is_adopted:
        return
    # The first switch may move all traffic, so every pod must be available. For later switches one pod is enough.
    needed = 1 if is_adopted else max(replica_set["spec"]["replicas"], 1)
    if available(replica_set) < needed:
        return

    def build(current: Object) -> Object:
        current["spec"]["selector"] = {**(current["spec"].get("selector") or {}), HASH_LABEL: wanted}
        annotations = current["metadata"].get("annotations") or {}
        current["metadata"]["annotations"] = {**annotations, MANAGED_BY: name_of(context.rollout)}
        return current

    context.registry.change(SERVICES, context.namespace, name, build, Write(MANAGER))
    context.record_event("SwitchService", f"Switched selector for service '{name}' from '{before}' to '{wanted}'")
