"""Traffic routing: compute the canary's weight, and write it to the Ingress as a forward action."""

import json
from math import ceil

from sandbox.kubernetes.api.objects.kinds import INGRESSES, Object, name_of
from sandbox.kubernetes.api.storage.registry import Write
from sandbox.kubernetes.controllers.rollouts.context import MANAGER, Context, available, hash_of
from sandbox.kubernetes.controllers.rollouts.services import point_service_at
from sandbox.kubernetes.controllers.rollouts.strategy import (
    FULL_WEIGHT,
    canary_of,
    current_index,
    current_step,
    ingress_names,
    is_fully_promoted,
    replicas_of,
    root_service,
    routing_of,
    wanted_canary_count,
    wanted_weight,
    weight_before,
)

PREFIX = "alb.ingress.kubernetes.io"
MANAGED = "rollouts.argoproj.io/managed-alb-annotations"


def reconcile_traffic(context: Context) -> None:
    """Write the current weight, if the stable ReplicaSet has enough available pods for the rest of the traffic."""
    if routing_of(context.rollout) is None:
        return
    weight = _current_weight(context)
    if context.is_aborted and not is_fully_promoted(context.rollout):
        point_service_at(context, canary_of(context.rollout)["canaryService"], context.stable)
    stable_needs = ceil((FULL_WEIGHT - weight) * replicas_of(context.rollout) / 100)
    if context.stable is None or available(context.stable) < stable_needs:
        return
    for name in ingress_names(context.rollout):
        # As in Argo's controller, the first Ingress without a change ends the loop. Later ones are not updated.
        if not _write_action(context, name, weight):
            break
    context.weights = _weights(context, weight)


def is_at_wanted_counts(context: Context) -> bool:
    """Whether the new ReplicaSet has the step's replicas, all available, and the stable one has all its replicas."""
    new, stable, wanted = context.new, context.stable, wanted_canary_count(context.rollout)
    if new is None or stable is None:
        return False
    new_is_complete = new["spec"]["replicas"] == wanted and available(new) >= wanted
    return new_is_complete and stable["spec"]["replicas"] == replicas_of(context.rollout)


def is_referenced_by_traffic(context: Context, replica_set: Object) -> bool:
    """Whether that ReplicaSet has a weight above 0 in the weights that were written last."""
    destinations = (context.weights or {}).values()
    return any(item["weight"] and item["podTemplateHash"] == hash_of(replica_set) for item in destinations)


def _current_weight(context: Context) -> int:
    rollout, index = context.rollout, current_index(context.rollout)
    if is_fully_promoted(rollout) or context.is_aborted or not available(context.new):
        return 0
    if context.status.get("promoteFull"):
        return FULL_WEIGHT if is_at_wanted_counts(context) else 0
    if index is None:
        return FULL_WEIGHT if is_at_wanted_counts(context) else 0
    if not is_at_wanted_counts(context):
        return weight_before(rollout, index - 1) if index else 0
    return FULL_WEIGHT if current_step(rollout) is None else wanted_weight(rollout)


def _write_action(context: Context, name: str, weight: int) -> bool:
    """Write the action to the Ingress, and return whether it changed."""
    ingress = context.registry.get(INGRESSES, context.namespace, name)
    before = ingress["metadata"].get("annotations") or {}
    after = {**before, **_annotations(context, before, weight)}
    if after == before:
        return False

    def build(current: Object) -> Object:
        current["metadata"]["annotations"] = after
        return current

    context.registry.change(INGRESSES, context.namespace, name, build, Write(MANAGER))
    context.record_event("PatchingALBIngress", f"Updating Ingress `{name}` to desiredWeight '{weight}'")
    return True


def _annotations(context: Context, before: Object, weight: int) -> Object:
    rollout = context.rollout
    prefix = (routing_of(rollout) or {}).get("annotationPrefix") or PREFIX
    key = f"{prefix}/actions.{root_service(rollout)}"
    managed = {**json.loads(before.get(MANAGED, "{}")), name_of(rollout): [key]}
    return {key: _compact(_action(rollout, weight)), MANAGED: _compact(managed)}


def _action(rollout: Object, weight: int) -> Object:
    """The load balancer controller's action, with the field names that Argo Rollouts writes."""
    routing, canary = routing_of(rollout) or {}, canary_of(rollout)
    port = str(routing["servicePort"])
    weights = ((canary["canaryService"], weight), (canary["stableService"], FULL_WEIGHT - weight))
    groups = [{"ServiceName": name, "ServicePort": port, "Weight": value} for name, value in weights]
    forward: Object = {"TargetGroups": groups}
    stickiness = routing.get("stickinessConfig") or {}
    if stickiness.get("enabled"):
        forward["TargetGroupStickinessConfig"] = {
            "Enabled": True,
            "DurationSeconds": stickiness["durationSeconds"],
        }
    return {"Type": "forward", "ForwardConfig": forward}


def _weights(context: Context, weight: int) -> Object:
    canary = canary_of(context.rollout)
    return {
        "canary": _weight_destination(weight, canary["canaryService"], context.new),
        "stable": _weight_destination(FULL_WEIGHT - weight, canary["stableService"], context.stable),
    }


def _weight_destination(weight: int, service: str, replica_set: Object | None) -> Object:
    return {"weight": weight, "serviceName": service, "podTemplateHash": hash_of(replica_set)}


def _compact(value: Object) -> str:
    return json.dumps(value, separators=(",", ":"))
