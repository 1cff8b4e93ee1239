"""Conditions of a Rollout, and the phase and message that follow from its status. Does not use the API."""

from datetime import timedelta

from sandbox.kubernetes.api.objects.kinds import Object, value_at
from sandbox.kubernetes.clock import now, parse, timestamp
from sandbox.kubernetes.controllers.rollouts.strategy import replicas_of, status_of, steps_of

TIMED_OUT = "ProgressDeadlineExceeded"
ABORTED = "RolloutAborted"
FAILED = "ReplicaFailure"
INVALID = "InvalidSpec"


def condition_of(conditions: list[Object], name: str) -> Object | None:
    return next((condition for condition in conditions if condition["type"] == name), None)


def set_condition(
    conditions: list[Object], name: str, status: str, reason: str, message: str, *, refresh: bool = False
) -> bool:
    """Set the condition in place, and return whether it changed. Without `refresh`, a new message is not a change."""
    before = condition_of(conditions, name)
    if before and (before["status"], before["reason"]) == (status, reason) and not refresh:
        return False
    if before:
        conditions.remove(before)
    since = before["lastTransitionTime"] if before and before["status"] == status else timestamp()
    times = {"lastTransitionTime": since, "lastUpdateTime": timestamp()}
    conditions.append({"type": name, "status": status, "reason": reason, "message": message, **times})
    return True


def drop_condition(conditions: list[Object], name: str) -> None:
    conditions[:] = [condition for condition in conditions if condition["type"] != name]


def update_conditions(rollout: Object, status: Object, conditions: list[Object], name: str, timeout: timedelta) -> None:
    """Set the conditions for the new status. name: that of the new ReplicaSet. timeout: the progress deadline."""
    is_paused = bool(status_of(rollout).get("pauseConditions")) or bool(rollout["spec"].get("paused"))
    was_healthy = _update_health(rollout, status, conditions, is_paused)
    is_completed = bool(status.get("stableRS")) and status["stableRS"] == status["currentPodHash"]
    set_condition(conditions, "Completed", _truth(is_completed), "RolloutCompleted", "RolloutCompleted")
    if not status.get("abort"):
        _update_progress(rollout, status, conditions, name, timeout, lost_health=was_healthy)
    is_available = status["availableReplicas"] >= replicas_of(rollout)
    message = "Rollout has minimum availability" if is_available else "Rollout does not have minimum availability"
    set_condition(conditions, "Available", _truth(is_available), "AvailableReason", message)


def mirror_failure(conditions: list[Object], replica_sets: list[Object]) -> None:
    """Copy the condition ReplicaFailure of the first ReplicaSet that cannot create its pods."""
    found = (condition_of(value_at(replica_set, "status.conditions") or [], FAILED) for replica_set in replica_sets)
    failure = next(filter(None, found), None)
    before = condition_of(conditions, FAILED)
    if failure is None:
        drop_condition(conditions, FAILED)
    elif before is None or before["message"] != failure["message"]:
        set_condition(conditions, FAILED, failure["status"], failure["reason"], failure["message"], refresh=True)


def phase_of(rollout: Object, status: Object) -> tuple[str, str]:
    """Phase and message, by the first rule that applies."""
    conditions, spec = status.get("conditions") or [], rollout["spec"]
    if invalid := condition_of(conditions, INVALID):
        return "Degraded", f"{INVALID}: {invalid['message']}"
    for condition in conditions:
        if condition["reason"] in (ABORTED, TIMED_OUT):
            return "Degraded", f"{condition['reason']}: {condition['message']}"
    if spec.get("paused"):
        return "Paused", "manually paused"
    for pause in status.get("pauseConditions") or []:
        return "Paused", pause["reason"]
    if status.get("updatedReplicas", 0) < replicas_of(rollout):
        return "Progressing", "more replicas need to be updated"
    if status.get("availableReplicas", 0) < status.get("updatedReplicas", 0):
        return "Progressing", "updated replicas are still becoming available"
    if status.get("stableRS", "") != status.get("currentPodHash", ""):
        return "Progressing", "waiting for all steps to complete"
    return "Healthy", ""


def is_healthy(rollout: Object, status: Object) -> bool:
    """Whether the update is promoted and the old pods are gone. This is stricter than the phase Healthy."""
    steps, replicas = steps_of(rollout), replicas_of(rollout)
    counts = {status["updatedReplicas"], status["replicas"], status["availableReplicas"]}
    has_completed_steps = not steps or status.get("currentStepIndex") == len(steps)
    is_stable = bool(status.get("stableRS")) and status["stableRS"] == status["currentPodHash"]
    return counts == {replicas} and has_completed_steps and is_stable


def _update_health(rollout: Object, status: Object, conditions: list[Object], is_paused: bool) -> bool:
    """Set the condition Healthy, and return whether it changed to False."""
    healthy = not is_paused and is_healthy(rollout, status)
    if not healthy and condition_of(conditions, "Healthy") is None:
        return False
    message = "Rollout is healthy" if healthy else "Rollout is not healthy"
    changed = set_condition(conditions, "Healthy", _truth(healthy), "RolloutHealthy", message)
    return changed and not healthy


def _update_progress(
    rollout: Object, status: Object, conditions: list[Object], name: str, timeout: timedelta, *, lost_health: bool
) -> None:
    current = condition_of(conditions, "Progressing")
    is_done = current is not None and current["reason"] == "NewReplicaSetAvailable"
    if is_done and status["replicas"] == status["availableReplicas"] and not lost_health:
        return
    if is_healthy(rollout, status):
        message = f'ReplicaSet "{name}" has successfully progressed.'
        set_condition(conditions, "Progressing", "True", "NewReplicaSetAvailable", message)
    elif lost_health or _has_progressed(status_of(rollout), status):
        message = f'ReplicaSet "{name}" is progressing.'
        set_condition(conditions, "Progressing", "True", "ReplicaSetUpdated", message, refresh=True)
    elif _has_timed_out(status, current, timeout):
        message = f'ReplicaSet "{name}" has timed out progressing.'
        set_condition(conditions, "Progressing", "False", TIMED_OUT, message)


def _has_progressed(before: Object, after: Object) -> bool:
    def old_pods(status: Object) -> int:
        return status.get("replicas", 0) - status.get("updatedReplicas", 0)

    grew = any(after[count] > before.get(count, 0) for count in ("readyReplicas", "availableReplicas"))
    moved = any(after.get(field) != before.get(field) for field in ("updatedReplicas", "currentStepIndex", "stableRS"))
    return grew or moved or old_pods(after) < old_pods(before)


def _has_timed_out(status: Object, progress: Object | None, timeout: timedelta) -> bool:
    if progress is None or status.get("pauseConditions") or progress["reason"] == "NewReplicaSetAvailable":
        return False
    return now() - parse(progress["lastUpdateTime"]) > timeout


def _truth(value: bool) -> str:
    return "True" if value else "False"
