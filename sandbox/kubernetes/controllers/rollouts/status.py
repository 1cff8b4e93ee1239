"""The status of a Rollout: count pods, complete steps, promote, and write the result."""

from datetime import timedelta
from typing import Any

from sandbox.kubernetes.api.objects.kinds import ROLLOUTS, Object, name_of, value_at
from sandbox.kubernetes.api.storage.registry import Write
from sandbox.kubernetes.clock import parse
from sandbox.kubernetes.controllers.rollouts.analysis import analysis_status
from sandbox.kubernetes.controllers.rollouts.conditions import (
    ABORTED,
    INVALID,
    TIMED_OUT,
    condition_of,
    drop_condition,
    mirror_failure,
    phase_of,
    set_condition,
    update_conditions,
)
from sandbox.kubernetes.controllers.rollouts.context import MANAGER, Context, available, hash_of, revision
from sandbox.kubernetes.controllers.rollouts.pauses import is_pause_over, pause_status
from sandbox.kubernetes.controllers.rollouts.strategy import (
    current_index,
    current_step,
    replicas_of,
    step_hash,
    steps_of,
    template_hash,
)
from sandbox.kubernetes.controllers.rollouts.traffic import is_at_wanted_counts

DEFAULT_DEADLINE_SECONDS = 600


def has_new_template_or_steps(context: Context) -> bool:
    """Whether the template or the steps differ from those in the status."""
    status = context.status
    if status.get("currentStepHash") not in (None, step_hash(context.rollout)):
        return True
    return status.get("currentPodHash") not in (None, "", _current_hash(context))


def write_reset(context: Context) -> None:
    """Restart at the first step, without pause and abort. A return to the stable template skips all steps."""
    context.clear_pauses = context.remove_abort = True
    status = _counted(context) | {"promoteFull": None}
    status["currentStepIndex"] = 0 if steps_of(context.rollout) else None
    if context.new is not None and hash_of(context.new) == context.status.get("stableRS"):
        status["currentStepIndex"] = len(steps_of(context.rollout)) or None
        context.record_event("SkipSteps", "Rollback to stable")
    _write(context, status)


def write_progress(context: Context) -> None:
    """Promote the new ReplicaSet, complete the current step, or write the progress."""
    status, steps = _counted(context), steps_of(context.rollout)
    skips = context.status.get("promoteFull") or is_within_rollback_window(context)
    if skips:
        context.clear_pauses = context.remove_abort = True
    index = len(steps) if skips else current_index(context.rollout)
    if why := _promotion(context, index, bool(skips)):
        _promote(context, status, why)
    elif context.is_aborted:
        status["currentStepIndex"] = 0 if steps else None
    else:
        status["currentStepIndex"] = _next_index(context, index) if steps else None
    _write(context, status)


def write_conditions(context: Context) -> None:
    """Write only the changed conditions. The next reconcile does the rest."""
    _persist(context, {**context.status, "conditions": context.conditions})


def write_invalid(context: Context, problem: str) -> None:
    """Write the condition InvalidSpec and change nothing else."""
    set_condition(context.conditions, INVALID, "True", INVALID, problem, refresh=_is_other(context, problem))
    _persist(context, {**context.status, "conditions": context.conditions})


def is_within_rollback_window(context: Context) -> bool:
    """Whether the new ReplicaSet is older than the stable one, with fewer ReplicaSets between them than the window."""
    window = value_at(context.rollout, "spec.rollbackWindow.revisions")
    if not window or context.new is None or context.stable is None:
        return False
    target, stable = (parse(found["metadata"]["creationTimestamp"]) for found in (context.new, context.stable))
    between = [
        found for found in context.replica_sets if target < parse(found["metadata"]["creationTimestamp"]) < stable
    ]
    return target < stable and len(between) < window


def _promotion(context: Context, index: int | None, skips: bool) -> str:
    """Why the new ReplicaSet becomes the stable one now; empty if it does not."""
    if context.stable is None:
        return "Initial deploy"
    if context.is_aborted or available(context.new) != replicas_of(context.rollout):
        return ""
    if skips:
        return "Full promotion requested" if context.status.get("promoteFull") else "Rollback within window"
    steps = steps_of(context.rollout)
    return f"Completed all {len(steps)} canary steps" if index in (None, len(steps)) else ""


def _promote(context: Context, status: Object, why: str) -> None:
    context.clear_pauses = context.remove_abort = True
    status |= {"promoteFull": None, "currentStepIndex": len(steps_of(context.rollout)) or None}
    if status["stableRS"] != status["currentPodHash"]:
        status["stableRS"] = status["currentPodHash"]
        number = revision(context.rollout)
        message = f"Rollout completed update to revision {number} ({status['stableRS']}): {why}"
        context.record_event("RolloutCompleted", message)


def _next_index(context: Context, index: int | None) -> int | None:
    step = current_step(context.rollout)
    if index is None or step is None or context.rollout["spec"].get("paused"):
        return index
    if not (is_pause_over(context, step) if "pause" in step else is_at_wanted_counts(context)):
        return index
    context.remove_pause = True
    total = len(steps_of(context.rollout))
    context.record_event("RolloutStepCompleted", f"Rollout step {index + 1}/{total} completed ({_describe(step)})")
    return index + 1


def _counted(context: Context) -> Object:
    """The fields that are counted or copied from the previous status."""
    before, new = context.status, context.new
    return {
        "abort": None,
        "canary": {**({"weights": context.weights} if context.weights else {}), **analysis_status(context)},
        "collisionCount": before.get("collisionCount"),
        "currentPodHash": _current_hash(context),
        "currentStepHash": step_hash(context.rollout),
        "promoteFull": before.get("promoteFull"),
        "stableRS": before.get("stableRS", ""),
        "selector": _selector(context.rollout),
        "replicas": _total(context, "replicas"),
        "updatedReplicas": value_at(new, "status.replicas") or 0,
        "readyReplicas": _total(context, "readyReplicas"),
        "availableReplicas": _total(context, "availableReplicas"),
        "HPAReplicas": _total(context, "replicas"),
    }


def _write(context: Context, status: Object) -> None:
    status |= pause_status(context)
    conditions, name = context.conditions, name_of(context.new) if context.new else ""
    drop_condition(conditions, INVALID)
    if status.get("abort"):
        why = f": {context.add_abort}" if context.add_abort else ""
        message = f"Rollout aborted update to revision {revision(context.rollout)}{why}"
        if set_condition(conditions, "Progressing", "False", ABORTED, message):
            context.record_event(ABORTED, message, warning=True)
    update_conditions(context.rollout, status, conditions, name, _deadline(context))
    mirror_failure(conditions, [*([context.new] if context.new else []), *context.replica_sets])
    _watch_deadline(context, status)
    _persist(context, {**status, "conditions": conditions})


def _watch_deadline(context: Context, status: Object) -> None:
    """Requeue for the progress deadline. After it, abort if the spec has progressDeadlineAbort."""
    progress = condition_of(context.conditions, "Progressing")
    if progress and progress["reason"] == TIMED_OUT:
        if context.rollout["spec"].get("progressDeadlineAbort") and status["stableRS"] != status["currentPodHash"]:
            context.add_abort = progress["message"]
            status |= {"abort": True, **pause_status(context)}
    elif not status.get("pauseConditions") and _is_underway(status):
        context.requeue(_deadline(context) + timedelta(seconds=1))


def _is_underway(status: Object) -> bool:
    return status["availableReplicas"] < status["replicas"] or status["stableRS"] != status["currentPodHash"]


def _persist(context: Context, status: Object) -> None:
    wanted = {field: value for field, value in status.items() if value is not None and value is not False}
    wanted["observedGeneration"] = str(context.rollout["metadata"]["generation"])
    wanted["phase"], message = phase_of(context.rollout, wanted)
    wanted.pop("message", None)
    if message:
        wanted["message"] = message

    def build(current: Object) -> Object:
        return {**current, "status": wanted}

    name, write = name_of(context.rollout), Write(MANAGER, subresource="status")
    context.rollout = context.registry.change(ROLLOUTS, context.namespace, name, build, write)


def _deadline(context: Context) -> timedelta:
    return context.seconds(context.rollout["spec"].get("progressDeadlineSeconds", DEFAULT_DEADLINE_SECONDS))


def _current_hash(context: Context) -> str:
    if context.new is not None:
        return hash_of(context.new)
    return template_hash(context.rollout["spec"]["template"], context.status.get("collisionCount", 0))


def _total(context: Context, field: str) -> int:
    return sum(found.get("status", {}).get(field, 0) for found in context.replica_sets)


def _selector(rollout: Object) -> str:
    labels = value_at(rollout, "spec.selector.matchLabels") or {}
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


def _describe(step: Object) -> str:
    kind = next(iter(step))
    value: Any = step[kind]
    if kind == "pause":
        return f"pause: {value['duration']}" if value and "duration" in value else "pause"
    return f"{kind}: {value}"


def _is_other(context: Context, problem: str) -> bool:
    before = condition_of(context.conditions, INVALID)
    return before is not None and before["message"] != problem
