"""ReplicaSets: create and delete pods to match the desired number, and count them in the status."""

from collections.abc import Iterable
from datetime import timedelta

from sandbox.kubernetes.api.objects.errors import ApiError
from sandbox.kubernetes.api.objects.kinds import PODS, REPLICA_SETS, Object, copy_of, name_of, namespace_of, value_at
from sandbox.kubernetes.api.objects.selectors import matches_selector
from sandbox.kubernetes.api.storage.registry import Registry, Write
from sandbox.kubernetes.api.storage.store import Change
from sandbox.kubernetes.clock import now, parse
from sandbox.kubernetes.controllers import events
from sandbox.kubernetes.controllers.loop import Name

MANAGER = "kube-controller-manager"
SOURCE = "replicaset-controller"


class ReplicaSets:
    """Reconciles one ReplicaSet. time_factor: minReadySeconds is divided by it."""

    delay = 0.03

    def __init__(self, registry: Registry, time_factor: float) -> None:
        self._registry = registry
        self._time_factor = time_factor

    def names_to_reconcile(self, change: Change) -> Iterable[Name]:
        if change.kind is REPLICA_SETS:
            return [(namespace_of(change.current), name_of(change.current))]
        owner = controller_of(change.current) if change.kind is PODS else None
        return [(namespace_of(change.current), owner["name"])] if owner and owner["kind"] == "ReplicaSet" else []

    def reconcile(self, namespace: str, name: str) -> float | None:
        replica_set = self._registry.find(REPLICA_SETS, namespace, name)
        if replica_set is None or replica_set["metadata"].get("deletionTimestamp"):
            return None
        failure = self._scale(replica_set, self._active_pods(replica_set))
        requeue_after = self._write_status(replica_set, failure)
        if failure:
            raise failure
        return requeue_after

    def _active_pods(self, replica_set: Object) -> list[Object]:
        pods = self._registry.select(PODS, namespace_of(replica_set))
        return [pod for pod in owned_by(pods, replica_set) if _is_active(pod)]

    def _scale(self, replica_set: Object, pods: list[Object]) -> ApiError | None:
        missing = replica_set["spec"]["replicas"] - len(pods)
        try:
            for _ in range(missing):
                self._create_pod(replica_set)
        except ApiError as error:
            events.record(
                self._registry, SOURCE, replica_set, "FailedCreate", f"Error creating: {error.message}", warning=True
            )
            return error
        for pod in sorted(pods, key=_deletion_order)[: max(-missing, 0)]:
            self._registry.delete(PODS, namespace_of(pod), name_of(pod))
            events.record(self._registry, SOURCE, replica_set, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}")
        return None

    def _create_pod(self, replica_set: Object) -> None:
        template = copy_of(replica_set["spec"]["template"])
        metadata = template.get("metadata") or {}
        metadata |= {"generateName": f"{name_of(replica_set)}-", "ownerReferences": [owner_reference(replica_set)]}
        pod = self._registry.create(
            PODS, namespace_of(replica_set), {"metadata": metadata, "spec": template["spec"]}, Write(MANAGER)
        )
        events.record(self._registry, SOURCE, replica_set, "SuccessfulCreate", f"Created pod: {name_of(pod)}")

    def _write_status(self, replica_set: Object, failure: ApiError | None) -> float | None:
        pods = self._active_pods(replica_set)
        min_ready = timedelta(seconds=replica_set["spec"].get("minReadySeconds", 0) / self._time_factor)
        ages = [age for pod in pods if (age := time_since_ready(pod)) is not None]
        available = sum(age >= min_ready for age in ages)
        status = {
            "replicas": len(pods),
            "fullyLabeledReplicas": len(pods),
            "readyReplicas": len(ages),
            "availableReplicas": available,
            "observedGeneration": replica_set["metadata"]["generation"],
            "conditions": _failure_conditions(replica_set, failure),
        }
        self._registry.change(
            REPLICA_SETS,
            namespace_of(replica_set),
            name_of(replica_set),
            lambda current: {**current, "status": status},
            Write(MANAGER, subresource="status"),
        )
        return min_ready.total_seconds() / 2 if available < len(ages) else None


def controller_of(obj: Object) -> Object | None:
    """The owner reference that manages the object, if any."""
    owners = obj["metadata"].get("ownerReferences") or []
    return next((owner for owner in owners if owner.get("controller")), None)


def owned_by(objects: list[Object], owner: Object) -> list[Object]:
    """The objects that the owner's selector matches and that the owner controls."""
    uid, selector = owner["metadata"]["uid"], owner["spec"].get("selector")
    return [
        obj
        for obj in objects
        if (reference := controller_of(obj))
        and reference["uid"] == uid
        and matches_selector(selector, obj["metadata"].get("labels") or {})
    ]


def owner_reference(owner: Object) -> Object:
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": name_of(owner),
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def time_since_ready(pod: Object) -> timedelta | None:
    """How long the pod has been ready; None for one that is not."""
    for condition in value_at(pod, "status.conditions") or []:
        if condition["type"] == "Ready" and condition["status"] == "True":
            return now() - parse(condition["lastTransitionTime"])
    return None


def _is_active(pod: Object) -> bool:
    is_finished = value_at(pod, "status.phase") in ("Succeeded", "Failed")
    return not is_finished and not pod["metadata"].get("deletionTimestamp")


def _deletion_order(pod: Object) -> tuple[bool, timedelta, str]:
    """Pods that are not ready are deleted first, then those that became ready last."""
    age = time_since_ready(pod)
    return age is not None, age or timedelta(), name_of(pod)


def _failure_conditions(replica_set: Object, failure: ApiError | None) -> list[Object]:
    """The condition keeps its first message. Each retry has a new pod name, and a new message would be a change."""
    if failure is None:
        return []
    first = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": failure.message}
    return value_at(replica_set, "status.conditions") or [first]
