"""The answer to each request on an object or a collection."""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.kubernetes.api import patches
from sandbox.kubernetes.api.errors import bad_request, invalid, method_not_allowed, unsupported_media_type
from sandbox.kubernetes.api.kinds import Object, name_of, namespace_of
from sandbox.kubernetes.api.registry import Registry, Write
from sandbox.kubernetes.api.requests import Target, read_body, read_matcher, read_object, read_write
from sandbox.kubernetes.api.scale import as_scale, with_scale

Answer = tuple[int, Object]
"""HTTP code and body."""


class Verbs:
    """POST, PUT, PATCH and DELETE as the registry's verbs."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def write(
        self, method: str, target: Target, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Answer:
        if method == "DELETE":
            is_one = bool(target.name)
            return self._delete(target, query, body) if is_one else self._delete_collection(target, query)
        verbs = {"POST": self._create, "PUT": self._replace, "PATCH": self._patch}
        if method not in verbs or bool(target.name) is (method == "POST"):
            raise method_not_allowed()
        return verbs[method](target, query, headers, body)

    def _create(self, target: Target, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Answer:
        obj = read_object(target, body, headers.get("content-type", ""))
        write = read_write(target, query, headers.get("user-agent", ""))
        return 201, self._registry.create(target.kind, target.namespace, obj, write)

    def _replace(self, target: Target, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Answer:
        if target.subresource == "scale":
            scale = read_body(body, headers.get("content-type", ""))
            return self._change(target, lambda _: scale, read_write(target, query, headers.get("user-agent", "")))
        obj = read_object(target, body, headers.get("content-type", ""))
        if target.kind.is_custom and not obj["metadata"].get("resourceVersion"):
            why = "Invalid value: 0x0: must be specified for an update"
            raise invalid(target.kind, target.name, "metadata.resourceVersion", why)
        write = read_write(target, query, headers.get("user-agent", ""))
        return self._change(target, lambda _: obj, write)

    def _patch(self, target: Target, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Answer:
        content_type = headers.get("content-type", "").split(";")[0].strip()
        patch = read_body(body, content_type)
        write = read_write(target, query, headers.get("user-agent", ""))
        if content_type == patches.APPLY:
            if not query.get("fieldManager"):
                raise bad_request("PatchOptions.meta.k8s.io is invalid: fieldManager: Required value")
            obj, created = self._registry.apply(target.kind, target.namespace, target.name, patch, write)
            return (201 if created else 200), obj
        if "force" in query:
            raise bad_request("PatchOptions.meta.k8s.io is invalid: force: Forbidden: may not be specified")
        build = _builder(target, content_type, patch)
        return self._change(target, build, write)

    def _change(self, target: Target, build: Callable[[Object], Object], write: Write) -> Answer:
        """Write what build makes of the object, or of its Scale at that subresource."""
        if target.subresource != "scale":
            return 200, self._registry.change(target.kind, target.namespace, target.name, build, write)

        def rescale(current: Object) -> Object:
            return with_scale(current, build(as_scale(current)))

        return 200, as_scale(self._registry.change(target.kind, target.namespace, target.name, rescale, write))

    def _delete(self, target: Target, query: Mapping[str, str], body: bytes) -> Answer:
        options = read_body(body, "application/json")
        grace = query.get("gracePeriodSeconds", options.get("gracePeriodSeconds"))
        policy = query.get("propagationPolicy", options.get("propagationPolicy"))
        wanted = {"metadata": options.get("preconditions") or {}}
        current = self._registry.get(target.kind, target.namespace, target.name)
        self._registry.check_precondition(target.kind, current, wanted)
        if "dryRun" in query or options.get("dryRun"):
            return 200, current
        if policy == "Orphan":
            self._orphan_dependents(current["metadata"]["uid"])
        seconds = None if grace is None else int(grace)
        deleted = self._registry.delete(
            target.kind, target.namespace, target.name, grace_seconds=seconds, foreground=policy == "Foreground"
        )
        return 200, deleted if deleted["metadata"].get("deletionTimestamp") else _success(target, deleted)

    def _delete_collection(self, target: Target, query: Mapping[str, str]) -> Answer:
        for obj in filter(read_matcher(target, query), self._registry.select(target.kind, target.namespace)):
            self._registry.delete(target.kind, namespace_of(obj), name_of(obj))
        return 200, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}

    def _orphan_dependents(self, uid: str) -> None:
        for kind, obj in self._registry.store.everything():
            owners = obj["metadata"].get("ownerReferences") or []
            if any(owner["uid"] == uid for owner in owners):
                obj["metadata"]["ownerReferences"] = [owner for owner in owners if owner["uid"] != uid]
                self._registry.store.write(kind, obj)


def _builder(target: Target, content_type: str, patch: Any) -> Callable[[Object], Object]:
    formats: dict[str, Callable[[Object, Any], Object]] = {
        patches.JSON: patches.json_patch,
        patches.MERGE: patches.merge_patch,
    }
    if not target.kind.is_custom:
        formats[patches.STRATEGIC] = patches.strategic_merge_patch
    if content_type not in formats:
        raise unsupported_media_type([*formats, patches.APPLY])
    if content_type != patches.JSON and not isinstance(patch, dict):
        raise bad_request("the patch is not an object")
    return lambda current: formats[content_type](current, patch)


def _success(target: Target, deleted: Object) -> Object:
    details = {"name": target.name, "group": target.kind.group, "kind": target.kind.plural}
    details["uid"] = deleted["metadata"]["uid"]
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
