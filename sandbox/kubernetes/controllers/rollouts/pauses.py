"""Pauses and aborts: when the controller pauses, when a pause ends, and the status fields for both."""

from datetime import timedelta

from sandbox.kubernetes.api.objects.kinds import Object
from sandbox.kubernetes.clock import now, parse, timestamp
from sandbox.kubernetes.controllers.rollouts.conditions import condition_of, set_condition
from sandbox.kubernetes.controllers.rollouts.context import Context
from sandbox.kubernetes.controllers.rollouts.strategy import current_step, seconds_of

INCONCLUSIVE_RUN = "InconclusiveAnalysisRun"
CANARY_PAUSE = "CanaryPauseStep"


def announce_pause(context: Context) -> bool:
    """Set the conditions Progressing and Paused for the current pauses, and return whether they changed."""
    conditions, status = context.conditions, context.status
    progress, paused = condition_of(conditions, "Progressing"), condition_of(conditions, "Paused")
    is_paused = bool(status.get("pauseConditions")) or bool(context.rollout["spec"].get("paused"))
    was_aborted = progress is not None and progress["reason"] == "RolloutAborted"
    changed = False
    if was_aborted:
        if not status.get("abort"):
            message = "Retrying Rollout after abort"
            changed = set_condition(conditions, "Progressing", "Unknown", "RolloutRetry", message)
        return changed
    if is_paused != (progress is not None and progress["reason"] == "RolloutPaused"):
        reason, verb = ("RolloutPaused", "paused") if is_paused else ("RolloutResumed", "resumed")
        changed = set_condition(conditions, "Progressing", "Unknown", reason, f"Rollout is {verb}")
        context.record_event(reason, f"Rollout is {verb}")
    if is_paused != (paused is not None and paused["status"] == "True"):
        state = "True" if is_paused else "False"
        changed |= set_condition(conditions, "Paused", state, "RolloutPaused", "Rollout is paused")
    return changed


def is_paused_manually(context: Context) -> bool:
    """Whether the Rollout is paused manually (spec.paused). Scaling and steps then stop."""
    return bool(context.rollout["spec"].get("paused"))


def reconcile_pause(context: Context) -> None:
    """Start the pause of a pause step, or requeue for the end of its duration."""
    step = current_step(context.rollout)
    if step is None or "pause" not in step or context.is_aborted:
        return
    started = _pause_of(context.status)
    if started is None:
        context.add_pause = not context.status.get("controllerPause")
    elif (left := _time_left(context, step, started)) is not None:
        context.requeue(left)


def is_pause_over(context: Context, step: Object) -> bool:
    """Whether a user cleared the pause, or its duration has passed."""
    started = _pause_of(context.status)
    if started is None:
        return bool(context.status.get("controllerPause"))
    left = _time_left(context, step, started)
    return left is not None and left <= timedelta()


def pause_status(context: Context) -> Object:
    """The status fields of pauses and abort after this reconcile. A field that is not included is unset."""
    status = context.status
    if context.is_aborted:
        return {"abort": True, "abortedAt": status.get("abortedAt") or timestamp()}
    if context.clear_pauses:
        return {}
    pauses = [] if context.remove_pause else list(status.get("pauseConditions") or [])
    by_controller = bool(status.get("controllerPause")) and not context.remove_pause
    if context.add_pause and not pauses:
        pauses, by_controller = [{"reason": CANARY_PAUSE, "startTime": timestamp()}], True
    if context.is_inconclusive and not any(pause["reason"] == INCONCLUSIVE_RUN for pause in pauses):
        pauses, by_controller = [*pauses, {"reason": INCONCLUSIVE_RUN, "startTime": timestamp()}], True
    fields: Object = {"pauseConditions": pauses} if pauses else {}
    return {**fields, "controllerPause": True} if by_controller else fields


def _pause_of(status: Object) -> Object | None:
    pauses = status.get("pauseConditions") or []
    return next((pause for pause in pauses if pause["reason"] == CANARY_PAUSE), None)


def _time_left(context: Context, step: Object, pause: Object) -> timedelta | None:
    """The rest of a pause with a duration; None for a pause without one."""
    duration = (step["pause"] or {}).get("duration")
    if duration is None:
        return None
    return parse(pause["startTime"]) + context.seconds(seconds_of(duration)) - now()
