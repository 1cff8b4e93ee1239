"""The background analysis of a canary: its AnalysisRun is begun, and what it came to is acted on.

Whoever measures writes the run's status. Nobody does so here by itself: a run to which nothing is written stays
Running, as one does whose measurements have no data.
"""

from sandbox.kubernetes.api.kinds import (
    ANALYSIS_RUNS,
    ANALYSIS_TEMPLATES,
    Object,
    copy_of,
    name_of,
    value_at,
)
from sandbox.kubernetes.api.registry import Write
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
    """Begin the update's run, abort or pause by its phase, and end what is left of earlier ones."""
    run = _current_run(context)
    if not _is_due(context):
        run = None
    elif run is None or _was_resumed(context, run):
        run = _begin(context)
    for other in _runs(context):
        if run is None or name_of(other) != name_of(run):
            _end(context, other)
    context.analysis_run = run
    if run is not None:
        _act(context, run)


def analysis_status(context: Context) -> Object:
    """What the Rollout's status tells of the run."""
    run = context.analysis_run
    if run is None:
        return {}
    told = {"name": name_of(run), "status": _phase(run), "message": value_at(run, "status.message") or ""}
    return {"currentBackgroundAnalysisRunStatus": {key: value for key, value in told.items() if value}}


def unresolved_argument(rollout: Object, template: Object) -> str | None:
    """The first argument of the template that has no value and that the Rollout gives none."""
    given = {argument["name"] for argument in value_at(canary_of(rollout), "analysis.args") or []}
    wanted = value_at(template, "spec.args") or []
    missing = [item["name"] for item in wanted if "value" not in item and "valueFrom" not in item]
    return next((name for name in missing if name not in given), None)


def _is_due(context: Context) -> bool:
    """In an update with steps left, from startingStep on; never in a first deployment."""
    analysis = canary_of(context.rollout).get("analysis") or {}
    index = current_index(context.rollout)
    if not analysis.get("templates") or context.stable is None or is_fully_promoted(context.rollout):
        return False
    is_begun = (index or 0) >= analysis.get("startingStep", 0)
    return is_begun and not context.is_aborted and current_step(context.rollout) is not None


def _act(context: Context, run: Object) -> None:
    phase, message = _phase(run), value_at(run, "status.message") or ""
    if phase in BROKEN:
        context.add_abort = f"Background analysis phase error/failed: {message}".rstrip(": ")
    elif phase == INCONCLUSIVE:
        context.is_inconclusive = True


def _begin(context: Context) -> Object:
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
    context.say("AnalysisRunRunning", f"Background Analysis Run '{metadata['name']}' Status New: 'Running'")
    return context.registry.create(ANALYSIS_RUNS, context.namespace, body, Write(MANAGER))


def _end(context: Context, run: Object) -> None:
    """A run that is no longer wanted is terminated, which counts as a success."""
    if _phase(run) not in UNFINISHED:
        return

    def build(current: Object) -> Object:
        status = {**(current.get("status") or {}), "phase": "Successful", "message": "Run Terminated"}
        return {**current, "spec": {**current["spec"], "terminate": True}, "status": status}

    context.registry.change(ANALYSIS_RUNS, context.namespace, name_of(run), build, Write(MANAGER))


def _was_resumed(context: Context, run: Object) -> bool:
    """Whether somebody cleared the pause that an inconclusive run had put: another run takes its place."""
    told = value_at(context.status, "canary.currentBackgroundAnalysisRunStatus.status")
    return _phase(run) == INCONCLUSIVE == told and not context.status.get("pauseConditions")


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
    taken = {name_of(run) for run in _runs(context)}
    numbered = (f"{name}.{number}" for number in range(1, len(taken) + 2))
    return name if name not in taken else next(free for free in numbered if free not in taken)


def _phase(run: Object) -> str:
    return value_at(run, "status.phase") or ""
