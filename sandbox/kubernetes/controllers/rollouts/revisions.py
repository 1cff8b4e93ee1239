"""The new ReplicaSet of a template, revision numbers, and revisionHistoryLimit."""

from sandbox.kubernetes.api.objects.kinds import REPLICA_SETS, ROLLOUTS, Object, copy_of, name_of
from sandbox.kubernetes.api.storage.registry import Write
from sandbox.kubernetes.controllers.replica_sets import owner_reference
from sandbox.kubernetes.controllers.rollouts.conditions import set_condition
from sandbox.kubernetes.controllers.rollouts.context import MANAGER, Context, revision
from sandbox.kubernetes.controllers.rollouts.strategy import HASH_LABEL, REVISION, replicas_of, template_hash

DESIRED = "rollout.argoproj.io/desired-replicas"
HISTORY = "rollout.argoproj.io/revision-history"
DEFAULT_HISTORY_LIMIT = 10
_NOT_COPIED = ("kubectl.kubernetes.io/last-applied-configuration", REVISION, HISTORY, DESIRED)


def ensure_new_replica_set(context: Context) -> None:
    """Create the template's ReplicaSet without replicas, or increase the revision of the existing one."""
    found = context.new
    number = 1 + max((revision(other) for other in context.replica_sets if other is not found), default=0)
    if found is None:
        _create(context, number)
    else:
        _increase_revision(context, found, number)
    _record_on_rollout(context)


def sync_revision(context: Context) -> None:
    """Increase the revision of the template's ReplicaSet, if it exists."""
    if context.new is not None:
        ensure_new_replica_set(context)


def trim_history(context: Context) -> None:
    """Delete the oldest ReplicaSets without replicas beyond revisionHistoryLimit."""
    limit = context.rollout["spec"].get("revisionHistoryLimit", DEFAULT_HISTORY_LIMIT)
    excess = len(context.others) - limit
    for old in context.others[: max(excess, 0)]:
        if not old["spec"]["replicas"] and not old["status"].get("replicas"):
            context.registry.delete(REPLICA_SETS, context.namespace, name_of(old))


def _create(context: Context, number: int) -> None:
    rollout, template = context.rollout, copy_of(context.rollout["spec"]["template"])
    digest = template_hash(template, context.status.get("collisionCount", 0))
    labels = {**(template.setdefault("metadata", {}).get("labels") or {}), HASH_LABEL: digest}
    template["metadata"]["labels"] = labels
    selector = copy_of(rollout["spec"]["selector"])
    selector["matchLabels"] = {**selector.get("matchLabels", {}), HASH_LABEL: digest}
    annotations = {**_copied_annotations(rollout), REVISION: str(number), DESIRED: str(replicas_of(rollout))}
    name = f"{name_of(rollout)}-{digest}"
    metadata = {"name": name, "labels": labels, "annotations": annotations}
    metadata["ownerReferences"] = [owner_reference(rollout)]
    spec = {"replicas": 0, "selector": selector, "template": template}
    spec["minReadySeconds"] = rollout["spec"].get("minReadySeconds", 0)
    created = context.registry.create(
        REPLICA_SETS, context.namespace, {"metadata": metadata, "spec": spec}, Write(MANAGER)
    )
    context.replica_sets.append(created)
    context.new_name = name
    message = f'Created new replica set "{name}"'
    set_condition(context.conditions, "Progressing", "True", "NewReplicaSetCreated", message)
    context.record_event("NewReplicaSetCreated", f"Created ReplicaSet {name} (revision {number})")


def _increase_revision(context: Context, found: Object, number: int) -> None:
    if revision(found) >= number:
        return
    annotations = found["metadata"].setdefault("annotations", {})
    if before := annotations.get(REVISION):
        annotations[HISTORY] = ",".join(filter(None, (annotations.get(HISTORY), before)))
    annotations[REVISION] = str(number)
    context.update_replica_set(found)
    message = f'Found existing ReplicaSet "{name_of(found)}"'
    set_condition(context.conditions, "Progressing", "True", "FoundNewReplicaSet", message)


def _record_on_rollout(context: Context) -> None:
    new = context.new
    if new is None or revision(context.rollout) == revision(new):
        return

    def build(rollout: Object) -> Object:
        rollout["metadata"]["annotations"] = {
            **(rollout["metadata"].get("annotations") or {}),
            REVISION: str(revision(new)),
        }
        return rollout

    name = name_of(context.rollout)
    context.rollout = context.registry.change(ROLLOUTS, context.namespace, name, build, Write(MANAGER))


def _copied_annotations(rollout: Object) -> dict[str, str]:
    annotations = rollout["metadata"].get("annotations") or {}
    return {
        key: value
        for key, value in annotations.items()
        if key not in _NOT_COPIED and not key.startswith("notified.notifications.argoproj.io")
    }
