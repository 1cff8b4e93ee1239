"""The stable and the canary Service: each selects the pods of its ReplicaSet."""

from sandbox.kubernetes.api.kinds import SERVICES, Object, name_of, value_at
from sandbox.kubernetes.api.registry import Write
from sandbox.kubernetes.controllers.rollouts.context import MANAGER, Context, available, hash_of
from sandbox.kubernetes.controllers.rollouts.strategy import HASH_LABEL, canary_of

MANAGED_BY = "argo-rollouts.argoproj.io/managed-by-rollouts"


def reconcile_services(context: Context) -> None:
    """Point the stable Service at the stable ReplicaSet and the canary Service at the new one."""
    canary = canary_of(context.rollout)
    point_service_at(context, canary.get("stableService"), context.stable)
    point_service_at(context, canary.get("canaryService"), context.new)


def point_service_at(context: Context, name: str | None, replica_set: Object | None) -> None:
    """Switch the Service's selector, unless the ReplicaSet's pods are not there yet."""
    if not name or replica_set is None:
        return
    service = context.registry.get(SERVICES, context.namespace, name)
    before, wanted = (value_at(service, "spec.selector") or {}).get(HASH_LABEL, ""), hash_of(replica_set)
    is_adopted = MANAGED_BY in (service["metadata"].get("annotations") or {})
    if before == wanted and is_adopted:
        return
    # The first time every pod must be there, since all traffic may follow; later one that is available will do.
    needed = 1 if is_adopted else max(replica_set["spec"]["replicas"], 1)
    if available(replica_set) < needed:
        return

    def build(current: Object) -> Object:
        current["spec"]["selector"] = {**(current["spec"].get("selector") or {}), HASH_LABEL: wanted}
        annotations = current["metadata"].get("annotations") or {}
        current["metadata"]["annotations"] = {**annotations, MANAGED_BY: name_of(context.rollout)}
        return current

    context.registry.change(SERVICES, context.namespace, name, build, Write(MANAGER))
    context.say("SwitchService", f"Switched selector for service '{name}' from '{before}' to '{wanted}'")
