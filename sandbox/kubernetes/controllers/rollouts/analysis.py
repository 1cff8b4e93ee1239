"""The background analysis of a canary: start its AnalysisRun, and abort or pause according to its phase.

The sandbox takes no measurements. A run stays Running until a client writes its status, like a run whose measurements
have no data.
"""

from sandbox.kubernetes.api.objects.kinds import (
    ANALYSIS_RUNS,
    ANALYSIS_TEMPLATES,
    Object,
    copy_of,
    name_of,
    value_at,
)
from sandbox.kubernetes.api.storage.registry import Write
from sandbox.kubernetes.controllers.replica_sets import controller_of, owner_reference
from sandbox.kubernetes.controllers.rollouts.context import MANAGER, Context, hash_of, revision
from sandbox.kubernetes.controllers.rollouts.strategy import (
    HASH_LABEL,
    canary_of,
    current_index,
    current_step,
    is_fully_promoted,
)

BROKEN = ("Failed", "Error")
INCONCLUSIVE = "Inconclusive"
UNFINISHED = ("", "Pending", "Running")


def reconcile_analysis(context: Context) -> None:
    """Start the run of the update, abort or pause according to its phase, and terminate earlier runs."""
    run = _current_run(context)
    if not _is_due(context):
        run = None
    elif run is None or _was_resumed(context, run):
        run = _start(context)
    for other in _runs(context):
        if run is None or name_of(other) != name_of(run):
            _terminate(context, other)
    context.analysis_run = run
    if run is not None:
        _apply_phase(context, run)


def analysis_status(context: Context) -> Object:
    """The fields of the Rollout's status about the run."""
    run = context.analysis_run
    if run is None:
        return {}
    fields = {"name": name_of(run), "status": _phase(run), "message": value_at(run, "status.message") or ""}
    return {"currentBackgroundAnalysisRunStatus": {key: value for key, value in fields.items() if value}}


def unresolved_argument(rollout: Object, template: Object) -> str | None:
    """The first argument of the template that has no value in the template and none in the Rollout."""
    given = {argument["name"] for argument in value_at(canary_of(rollout), "analysis.args") or []}
    wanted = value_at(template, "spec.args") or []
    missing = [item["name"] for item in wanted if "value" not in item and "valueFrom" not in item]
    return next((name for name in missing if name not in given), None)


def _is_due(context: Context) -> bool:
    """Whether a run is required: during an update, from startingStep to the last step; never in a first deployment."""
    analysis = canary_of(context.rollout).get("analysis") or {}
    index = current_index(context.rollout)
    if not analysis.get("templates") or context.stable is None or is_fully_promoted(context.rollout):
        return False
    has_started = (index or 0) >= analysis.get("startingStep", 0)
    return has_started and not context.is_aborted and current_step(context.rollout) is not None


def _apply_phase(context: Context, run: Object) -> None:
    phase, message = _phase(run), value_at(run, "status.message") or ""
    if phase in BROKEN:
        context.add_abort = f"Background analysis phase error/failed: {message}".rstrip(": ")
    elif phase == INCONCLUSIVE:
        context.is_inconclusive = True


def _start(context: Context) -> Object:
    analysis = canary_of(context.rollout)["analysis"]
    names = [reference["templateName"] for reference in analysis["templates"]]
    templates = [context.registry.get(ANALYSIS_TEMPLATES, context.namespace, name) for name in names]
    given = {argument["name"]: argument for argument in analysis.get("args") or []}
    wanted = {argument["name"]: argument for found in templates for argument in value_at(found, "spec.args") or []}
    spec: Object = {"metrics": [metric for found in templates for metric in copy_of(found["spec"]["metrics"])]}
    if arguments := [given.get(name, argument) for name, argument in wanted.items()]:
        spec["args"] = arguments
    labels = {HASH_LABEL: hash_of(context.new), "rollout-type": "Background"}
    metadata = {"name": _free_name(context), "labels": labels, "ownerReferences": [owner_reference(context.rollout)]}
    body = {"metadata": metadata, "spec": spec, "status": {"phase": "Running"}}
    context.record_event("AnalysisRunRunning", f"Background Analysis Run '{metadata['name']}' Status New: 'Running'")
    return context.registry.create(ANALYSIS_RUNS, context.namespace, body, Write(MANAGER))


def _terminate(context: Context, run: Object) -> None:
    """Terminate a run that is no longer required. Its phase becomes Successful."""
    if _phase(run) not in UNFINISHED:
        return

    def build(current: Object) -> Object:
        status = {**(current.get("status") or {}), "phase": "Successful", "message": "Run Terminated"}
        return {**current, "spec": {**current["spec"], "terminate": True}, "status": status}

    context.registry.change(ANALYSIS_RUNS, context.namespace, name_of(run), build, Write(MANAGER))


def _was_resumed(context: Context, run: Object) -> bool:
    """Whether a user cleared the pause that the inconclusive run caused. A new run then replaces it."""
    recorded = value_at(context.status, "canary.currentBackgroundAnalysisRunStatus.status")
    return _phase(run) == INCONCLUSIVE == recorded and not context.status.get("pauseConditions")


def _current_run(context: Context) -> Object | None:
    wanted = hash_of(context.new)
    runs = [run for run in _runs(context) if run["metadata"]["labels"].get(HASH_LABEL) == wanted]
    name = value_at(context.status, "canary.currentBackgroundAnalysisRunStatus.name")
    return next((run for run in runs if name_of(run) == name), None)


def _runs(context: Context) -> list[Object]:
    uid = context.rollout["metadata"]["uid"]
    found = context.registry.select(ANALYSIS_RUNS, context.namespace)
    return [run for run in found if (controller_of(run) or {}).get("uid") == uid]


def _free_name(context: Context) -> str:
    name = f"{name_of(context.rollout)}-{hash_of(context.new)}-{revision(context.rollout)}"
    used = {name_of(run) for run in _runs(context)}
    numbered = (f"{name}.{number}" for number in range(1, len(used) + 2))
    return name if name not in used else next(free for free in numbered if free not in used)


def _phase(run: Object) -> str:
    return value_at(run, "status.phase") or ""
