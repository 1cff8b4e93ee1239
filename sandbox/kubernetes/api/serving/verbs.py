"""The response to each write request on an object or a collection."""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.kubernetes.api.objects.errors import (
    ApiError,
    bad_request,
    invalid_options,
    method_not_allowed,
    missing_resource_version,
    unsupported_media_type,
)
from sandbox.kubernetes.api.objects.kinds import (
    PODS,
    RESOURCE_QUOTAS,
    SERVICE_ACCOUNTS,
    SERVICES,
    Object,
    name_of,
    namespace_of,
)
from sandbox.kubernetes.api.serving.pages import as_list
from sandbox.kubernetes.api.serving.requests import (
    Target,
    decode,
    read_body,
    read_matcher,
    read_object,
    read_write,
    require_dry_run,
    require_name,
    require_typed,
)
from sandbox.kubernetes.api.serving.scale import as_scale, with_scale
from sandbox.kubernetes.api.storage import patches
from sandbox.kubernetes.api.storage.registry import Registry, Write

Result = tuple[int, Object]
"""HTTP code and body."""
_RETURNED_WHOLE = (PODS, SERVICES, SERVICE_ACCOUNTS, RESOURCE_QUOTAS)
_OPTIONS = {"POST": "CreateOptions", "PUT": "UpdateOptions", "PATCH": "PatchOptions"}


class Verbs:
    """POST, PUT, PATCH and DELETE, carried out by the registry."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def write(
        self, method: str, target: Target, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Result:
        if method == "DELETE":
            is_one = bool(target.name)
            return self._delete(target, query, body) if is_one else self._delete_collection(target, query)
        require_dry_run(_OPTIONS.get(method, ""), query)
        verbs = {"POST": self._create, "PUT": self._replace, "PATCH": self._patch}
        if method not in verbs or bool(target.name) is (method == "POST"):
            raise method_not_allowed()
        return verbs[method](target, query, headers, body)

    def _create(self, target: Target, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Result:
        obj = decode(target.kind, read_object(target, body, headers.get("content-type", "")), query)
        if obj["metadata"].get("resourceVersion"):
            raise ApiError(500, "", "resourceVersion should not be set on objects to be created")
        write = read_write(target, query, headers.get("user-agent", ""))
        return 201, self._registry.create(target.kind, target.namespace, obj, write)

    def _replace(self, target: Target, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Result:
        if target.subresource == "scale":
            scale = read_body(body, headers.get("content-type", ""))
            return self._change(target, lambda _: scale, read_write(target, query, headers.get("user-agent", "")))
        obj = decode(target.kind, read_object(target, body, headers.get("content-type", "")), query)
        if target.kind.is_custom and not obj["metadata"].get("resourceVersion"):
            raise missing_resource_version(target.kind, target.name)
        write = read_write(target, query, headers.get("user-agent", ""))
        return self._change(target, lambda _: obj, write)

    def _patch(self, target: Target, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Result:
        content_type = headers.get("content-type", "").split(";")[0].strip()
        patch = read_body(body, content_type)
        write = read_write(target, query, headers.get("user-agent", ""))
        if content_type == patches.APPLY:
            self._require_applicable(target, query, patch)
            obj, created = self._registry.apply(target.kind, target.namespace, target.name, patch, write)
            return (201 if created else 200), obj
        if "force" in query:
            why = "Forbidden: may not be specified for non-apply patch"
            raise invalid_options("PatchOptions", ("force", why))
        build = _builder(target, content_type, patch)
        return self._change(target, lambda current: _decoded(target, build(current), query), write)

    def _require_applicable(self, target: Target, query: Mapping[str, str], body: Any) -> None:
        """Raise 4xx, or 500 as the API server does, for a body that cannot be applied."""
        if not query.get("fieldManager"):
            why = "Required value: is required for apply patch"
            raise invalid_options("PatchOptions", ("fieldManager", why))
        if not isinstance(body, dict) or not (body.get("kind") and body.get("apiVersion")):
            obj = body if isinstance(body, dict) else {}
            raise bad_request(f"invalid object type: {obj.get('apiVersion') or '/'}, Kind={obj.get('kind') or ''}")
        body.setdefault("metadata", {})
        require_name(target, body)
        require_typed(target.kind, body)

    def _change(self, target: Target, build: Callable[[Object], Object], write: Write) -> Result:
        """Write the object that build returns; at /scale, build changes its Scale."""
        if target.subresource != "scale":
            return 200, self._registry.change(target.kind, target.namespace, target.name, build, write)

        def rescale(current: Object) -> Object:
            return with_scale(current, build(as_scale(current)))

        return 200, as_scale(self._registry.change(target.kind, target.namespace, target.name, rescale, write))

    def _delete(self, target: Target, query: Mapping[str, str], body: bytes) -> Result:
        options = read_body(body, "application/json")
        grace = query.get("gracePeriodSeconds", options.get("gracePeriodSeconds"))
        policy = query.get("propagationPolicy", options.get("propagationPolicy"))
        wanted = {"metadata": options.get("preconditions") or {}}
        current = self._registry.get(target.kind, target.namespace, target.name)
        self._registry.check_deletion(target.kind, current, wanted)
        if query.get("dryRun") or options.get("dryRun"):
            return 200, _deletion_response(target, current)
        if policy == "Orphan":
            self._orphan_dependents(current["metadata"]["uid"])
        seconds = None if grace is None else int(grace)
        deleted = self._registry.delete(
            target.kind, target.namespace, target.name, grace_seconds=seconds, foreground=policy == "Foreground"
        )
        return 200, _deletion_response(target, deleted)

    def _delete_collection(self, target: Target, query: Mapping[str, str]) -> Result:
        found = list(filter(read_matcher(target, query), self._registry.select(target.kind, target.namespace)))
        for obj in found:
            self._registry.delete(target.kind, namespace_of(obj), name_of(obj))
        return 200, as_list(target.kind, found, {"resourceVersion": str(self._registry.store.resource_version)})

    def _orphan_dependents(self, uid: str) -> None:
        for kind, obj in self._registry.store.select_all():
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
        why = "json: cannot unmarshal array into Go value of type map[string]interface {}"
        raise bad_request(f"error decoding patch: {why}")
    return lambda current: formats[content_type](current, patch)


def _decoded(target: Target, obj: Object, query: Mapping[str, str]) -> Object:
    if target.subresource == "scale":
        return obj
    require_name(target, obj)
    return decode(target.kind, obj, query)


def _deletion_response(target: Target, deleted: Object) -> Object:
    """The object if it still exists, and always for some kinds; otherwise a Status with Success."""
    if target.kind in _RETURNED_WHOLE or deleted["metadata"].get("deletionTimestamp"):
        return deleted
    details = {"name": target.name, "kind": target.kind.plural, "uid": deleted["metadata"]["uid"]}
    details |= {"group": target.kind.group} if target.kind.group else {}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
