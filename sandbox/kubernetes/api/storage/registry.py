"""Creates, changes and deletes objects, and maintains their metadata."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from sandbox.kubernetes.api.objects import errors
from sandbox.kubernetes.api.objects.defaults import add_defaults, late_fields
from sandbox.kubernetes.api.objects.kinds import NAMESPACES, PODS, Kind, Object, copy_of, name_of, namespace_of
from sandbox.kubernetes.api.storage import managed_fields
from sandbox.kubernetes.api.storage.store import Store
from sandbox.kubernetes.api.validation import admission
from sandbox.kubernetes.api.validation.objects import validate, validate_change
from sandbox.kubernetes.clock import timestamp

NAME_SUFFIX_CHARACTERS = "bcdfghjklmnpqrstvwxz2456789"
_PRECONDITIONS = (
    ("uid", "UID", "The object might have been deleted and then recreated"),
    ("resourceVersion", "ResourceVersion", "The object might have been modified"),
)
_FIXED_METADATA = ("name", "namespace", "uid", "creationTimestamp", "generation", "deletionTimestamp", "managedFields")


@dataclass(frozen=True)
class Write:
    """The options of a write. manager: the field manager."""

    manager: str
    dry_run: bool = False
    force: bool = False
    subresource: str = ""


class Registry:
    """Reads and writes objects. Raises ApiError."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def find(self, kind: Kind, namespace: str, name: str) -> Object | None:
        return self.store.read((kind, namespace, name))

    def get(self, kind: Kind, namespace: str, name: str) -> Object:
        obj = self.find(kind, namespace, name)
        if obj is None:
            raise errors.not_found(kind, name)
        return obj

    def select(self, kind: Kind, namespace: str = "") -> list[Object]:
        return self.store.select(kind, namespace)

    def create(self, kind: Kind, namespace: str, body: Object, write: Write) -> Object:
        """Create an object. Without a name it gets one from `generateName`."""
        obj = _new_object(kind, namespace, body)
        self._admit(kind, obj)
        if self.find(kind, namespace, name_of(obj)):
            raise errors.already_exists(kind, name_of(obj))
        manager = managed_fields.Manager(write.manager, "Update")
        owned = managed_fields.ownership_after_update(kind, manager, managed_fields.zero_value(kind, obj), obj, {})
        late = late_fields(kind, body)
        owned[manager] = {path for path in owned[manager] if path[:2] not in late}
        managed_fields.write_ownership(kind, obj, owned, timestamp())
        return obj if write.dry_run else self.store.write(kind, obj)

    def change(self, kind: Kind, namespace: str, name: str, build: Callable[[Object], Object], write: Write) -> Object:
        """Write the object that `build` returns for the current one. If they do not differ, nothing is written."""
        current = self.get(kind, namespace, name)
        wanted = build(copy_of(current))
        self.check_precondition(kind, current, wanted)
        after = _keep_fixed_fields(kind, current, wanted, write.subresource)
        manager = managed_fields.Manager(write.manager, "Update", write.subresource)
        owned = managed_fields.read_ownership(current)
        add_defaults(kind, after)
        if write.subresource == "scale":
            owned = managed_fields.ownership_after_scale(manager, current, after, owned)
        else:
            owned = managed_fields.ownership_after_update(kind, manager, current, after, owned)
        return self._commit(kind, current, after, owned, write)

    def apply(self, kind: Kind, namespace: str, name: str, body: Object, write: Write) -> tuple[Object, bool]:
        """Server-side apply: the object after it, and whether it was created."""
        if body.get("metadata", {}).get("managedFields"):
            raise errors.bad_request("metadata.managedFields must be nil")
        manager = managed_fields.Manager(write.manager, "Apply", write.subresource)
        current = self.find(kind, namespace, name)
        if current is None:
            if uid := body.get("metadata", {}).get("uid"):
                why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
                raise errors.conflict(kind, name, why)
            return self._create_applied(kind, namespace, body, manager, write), True
        self.check_precondition(kind, current, body)
        body = _applicable_fields(kind, body, write.subresource)
        merged, owned = managed_fields.apply(kind, current, body, manager, force=write.force)
        after = _keep_fixed_fields(kind, current, merged, write.subresource)
        return self._commit(kind, current, after, owned, write), False

    def delete(
        self, kind: Kind, namespace: str, name: str, *, grace_seconds: int | None = None, foreground: bool = False
    ) -> Object:
        """Remove an object, or set its deletionTimestamp if something must finish first: a finalizer, a pod's
        containers, or the contents of a namespace.
        """
        obj = self.get(kind, namespace, name)
        metadata = obj["metadata"]
        if foreground:
            metadata["finalizers"] = sorted({*metadata.get("finalizers", []), "foregroundDeletion"})
        if not _defers_deletion(kind, obj, grace_seconds):
            return self.store.remove((kind, namespace, name))
        if metadata.get("deletionTimestamp"):
            return obj
        metadata["deletionTimestamp"] = timestamp()
        if kind is NAMESPACES:
            obj["status"]["phase"] = "Terminating"
        if kind is PODS:
            period = obj["spec"].get("terminationGracePeriodSeconds", 30)
            metadata["deletionGracePeriodSeconds"] = period if grace_seconds is None else grace_seconds
        return self.store.write(kind, obj)

    def finish_deletion(self, kind: Kind, namespace: str, name: str) -> None:
        """Remove an object whose deletion is complete: its finalizers, processes or contents are gone."""
        if self.find(kind, namespace, name):
            self.store.remove((kind, namespace, name))

    def _admit(self, kind: Kind, obj: Object) -> None:
        add_defaults(kind, obj)
        validate(kind, obj)
        admission.admit_new(self.find, self.select, kind, obj)
        if kind is PODS:
            admission.inject_readiness_gates(self.find, self.select, obj)

    def _create_applied(
        self, kind: Kind, namespace: str, body: Object, manager: managed_fields.Manager, write: Write
    ) -> Object:
        applied = _applicable_fields(kind, body, "")
        obj = _new_object(kind, namespace, body)
        self._admit(kind, obj)
        managed_fields.write_ownership(kind, obj, {manager: managed_fields.owned_paths(kind, applied)}, timestamp())
        return obj if write.dry_run else self.store.write(kind, obj)

    def check_precondition(self, kind: Kind, current: Object, wanted: Object) -> None:
        """Raise 409 if `wanted` has a resourceVersion other than the object's, 422 if it has another uid."""
        metadata, actual = wanted.get("metadata") or {}, current["metadata"]
        if metadata.get("resourceVersion") not in (None, "", actual["resourceVersion"]):
            raise errors.modified(kind, name_of(current))
        if metadata.get("uid") not in (None, actual["uid"]):
            why = f'Invalid value: "{metadata["uid"]}": field is immutable'
            raise errors.invalid(kind, name_of(current), ("metadata.uid", why))

    def check_deletion(self, kind: Kind, current: Object, wanted: Object) -> None:
        """Raise 409 if the object does not have the uid and resourceVersion of the deletion's preconditions."""
        for field, label, hint in _PRECONDITIONS:
            required, found = wanted["metadata"].get(field), current["metadata"][field]
            if required not in (None, found):
                why = f"the {label} in the precondition ({required}) does not match the {label} in record ({found})"
                message = f'Operation cannot be fulfilled on {kind.kind} "{name_of(current)}": {why}. {hint}'
                raise errors.ApiError(409, "Conflict", message, {"name": name_of(current), "kind": kind.kind})

    def _commit(
        self, kind: Kind, current: Object, after: Object, owned: managed_fields.Ownership, write: Write
    ) -> Object:
        add_defaults(kind, after)
        if not write.subresource:
            validate(kind, after)
            validate_change(kind, current, after)
        if kind.has_generation and admission.increments_generation(kind, current, after):
            after["metadata"]["generation"] = current["metadata"].get("generation", 0) + 1
        managed_fields.write_ownership(kind, after, owned, timestamp())
        if write.dry_run or admission.is_unchanged(current, after):
            return after
        written = self.store.write(kind, after)
        if written["metadata"].get("deletionTimestamp") and not _defers_deletion(kind, written, None):
            return self.store.remove((kind, namespace_of(written), name_of(written)))
        return written


def _new_object(kind: Kind, namespace: str, body: Object) -> Object:
    obj = copy_of(body)
    if kind.has_status:
        obj.pop("status", None)
    metadata = obj.get("metadata") or {}
    for field in ("resourceVersion", "uid", "selfLink", "deletionTimestamp", "managedFields"):
        metadata.pop(field, None)
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = metadata["generateName"] + "".join(secrets.choice(NAME_SUFFIX_CHARACTERS) for _ in range(5))
    if kind.namespaced:
        metadata["namespace"] = namespace
    metadata |= {"uid": str(uuid4()), "creationTimestamp": timestamp()}
    if kind.has_generation:
        metadata["generation"] = 1
    return {"apiVersion": kind.group_version, "kind": kind.kind, **obj, "metadata": metadata}


def _keep_fixed_fields(kind: Kind, current: Object, wanted: Object, subresource: str) -> Object:
    """The wanted object, with the current value of every field that this write must not change."""
    if subresource == "status":
        after = {**current, "metadata": dict(current["metadata"])}
        after.pop("status", None)
        return {**after, "status": wanted["status"]} if wanted.get("status") is not None else after
    after = {**wanted, "apiVersion": kind.group_version, "kind": kind.kind}
    after["metadata"] = dict(wanted.get("metadata") or {})
    for field in _FIXED_METADATA:
        after["metadata"].pop(field, None)
        if field in current["metadata"]:
            after["metadata"][field] = current["metadata"][field]
    after["metadata"]["resourceVersion"] = current["metadata"]["resourceVersion"]
    if kind.has_status:
        after.pop("status", None)
        return {**after, "status": current["status"]} if "status" in current else after
    return after


def _applicable_fields(kind: Kind, body: Object, subresource: str) -> Object:
    """The part of an applied body that counts: only the status at /status, otherwise all fields except the status."""
    if subresource == "status":
        return {"status": body.get("status") or {}}
    return {field: value for field, value in body.items() if field != "status" or not kind.has_status}


def _defers_deletion(kind: Kind, obj: Object, grace_seconds: int | None) -> bool:
    if obj["metadata"].get("finalizers") or kind is NAMESPACES:
        return True
    return kind is PODS and grace_seconds != 0 and bool(obj["spec"].get("nodeName"))
