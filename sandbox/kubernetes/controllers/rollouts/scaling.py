"""Replica counts of the stable, the new and the old ReplicaSets, and the delays before they scale down."""

from datetime import timedelta
from math import ceil

from sandbox.kubernetes.api.objects.kinds import Object, name_of
from sandbox.kubernetes.clock import now, parse, timestamp
from sandbox.kubernetes.controllers.rollouts.context import Context, available, revision
from sandbox.kubernetes.controllers.rollouts.revisions import DESIRED
from sandbox.kubernetes.controllers.rollouts.strategy import (
    DEFAULT_SCALE_DOWN_SECONDS,
    canary_of,
    is_fully_promoted,
    replicas_of,
    routing_of,
    wanted_canary_count,
)
from sandbox.kubernetes.controllers.rollouts.traffic import is_referenced_by_traffic

DEADLINE = "scale-down-deadline"


def reconcile_replicas(context: Context) -> bool:
    """Scale one ReplicaSet to its count, the stable one first, and return whether anything was scaled."""
    _drop_deadlines(context)
    stable, new = context.stable, context.new
    if stable is not None and stable is not new and _scale(context, stable, replicas_of(context.rollout)):
        return True
    if new is not None and _scale(context, new, _new_count(context, new)):
        return True
    scaled = [_scale(context, old, _old_count(context, old)) for old in context.others]
    return any(scaled)


def _new_count(context: Context, new: Object) -> int:
    if not context.is_aborted or context.stable is None or is_fully_promoted(context.rollout):
        return wanted_canary_count(context.rollout)
    delay = canary_of(context.rollout).get("abortScaleDownDelaySeconds", DEFAULT_SCALE_DOWN_SECONDS)
    if routing_of(context.rollout) is None:
        return 0
    if delay == 0 or available(context.stable) < replicas_of(context.rollout):
        return new["spec"]["replicas"]
    return _count_until_deadline(context, new, delay)


def _old_count(context: Context, old: Object) -> int:
    if not old["spec"]["replicas"] or routing_of(context.rollout) is None:
        return 0
    if is_fully_promoted(context.rollout) or DEADLINE in _annotations(old):
        delay = canary_of(context.rollout).get("scaleDownDelaySeconds", DEFAULT_SCALE_DOWN_SECONDS)
        return _count_until_deadline(context, old, delay)
    # Neither stable nor new during an update: scale it down immediately, unless it still receives traffic.
    return old["spec"]["replicas"] if is_referenced_by_traffic(context, old) else 0


def _count_until_deadline(context: Context, replica_set: Object, delay: float) -> int:
    """Its current replicas until the delay (seconds) is over, then 0. The first call starts the delay."""
    count, deadline = replica_set["spec"]["replicas"], _annotations(replica_set).get(DEADLINE)
    if not count:
        return 0
    if deadline is None:
        wait = timedelta(seconds=ceil(context.seconds(delay).total_seconds()))
        _annotate(context, replica_set, timestamp(now() + wait))
        context.requeue(wait)
        return count
    left = parse(deadline) - now()
    if left <= timedelta():
        return 0
    context.requeue(left)
    return count


def _drop_deadlines(context: Context) -> None:
    kept = [context.stable] if context.is_aborted else [context.stable, context.new]
    for replica_set in kept:
        if replica_set is not None and DEADLINE in _annotations(replica_set):
            _annotate(context, replica_set, None)


def _annotate(context: Context, replica_set: Object, deadline: str | None) -> None:
    annotations = {key: value for key, value in _annotations(replica_set).items() if key != DEADLINE}
    if deadline is not None:
        annotations[DEADLINE] = deadline
    context.update_replica_set({**replica_set, "metadata": {**replica_set["metadata"], "annotations": annotations}})


def _scale(context: Context, replica_set: Object, count: int) -> bool:
    current = next(found for found in context.replica_sets if name_of(found) == name_of(replica_set))
    before = current["spec"]["replicas"]
    if before == count:
        return False
    annotations = {**_annotations(current), DESIRED: str(replicas_of(context.rollout))}
    if not count:
        annotations.pop(DEADLINE, None)
    metadata = {**current["metadata"], "annotations": annotations}
    context.update_replica_set({**current, "metadata": metadata, "spec": {**current["spec"], "replicas": count}})
    direction = "up" if count > before else "down"
    name = f"{name_of(current)} (revision {revision(current)})"
    context.record_event("ScalingReplicaSet", f"Scaled {direction} ReplicaSet {name} from {before} to {count}")
    return True


def _annotations(replica_set: Object) -> dict[str, str]:
    return replica_set["metadata"].get("annotations") or {}
