"""Discovery: versions, groups, resources, and the part of OpenAPI that `kubectl apply` needs."""

from sandbox.kubernetes.api.objects.errors import no_such_path
from sandbox.kubernetes.api.objects.kinds import PODS, ROLLOUTS, Kind, Object, group_versions
from sandbox.kubernetes.api.storage.patches import JSON, MERGE

VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
VERSION = {
    "major": "1",
    "minor": "34",
    "gitVersion": "v1.34.0",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "2026-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "linux/amd64",
}
OPENAPI = "/openapi/v3"


def discover(path: str, kinds: list[Kind]) -> Object | None:
    """The document at a discovery path, or None for any other path. kinds: the served kinds."""
    if path == "/version":
        return VERSION
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": _groups(kinds)}
    if path.startswith(OPENAPI):
        return _openapi(path.removeprefix(OPENAPI).strip("/"), kinds)
    for group_version, found in group_versions(kinds).items():
        if path == f"/{found[0].prefix}":
            return _resources(group_version, found)
    return None


def _groups(kinds: list[Kind]) -> list[Object]:
    groups: dict[str, Object] = {}
    for kind in kinds:
        if kind.group:
            version = {"groupVersion": kind.group_version, "version": kind.version}
            groups[kind.group] = {"name": kind.group, "versions": [version], "preferredVersion": version}
    return list(groups.values())


def _resources(group_version: str, kinds: list[Kind]) -> Object:
    resources = [resource for kind in kinds for resource in (_resource(kind), *_subresources(kind))]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources}


def _resource(kind: Kind) -> Object:
    return {
        "name": kind.plural,
        "singularName": kind.kind.lower(),
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": VERBS,
        "shortNames": list(kind.short_names),
        "categories": ["all"] if kind in (PODS, ROLLOUTS) else [],
    }


def _subresources(kind: Kind) -> list[Object]:
    common = {"singularName": "", "namespaced": kind.namespaced, "kind": kind.kind}
    subresources = []
    if kind.has_status:
        subresources.append({**common, "name": f"{kind.plural}/status", "verbs": ["get", "patch", "update"]})
    if kind is PODS:
        subresources.append({**common, "name": f"{kind.plural}/log", "verbs": ["get"]})
    if kind.has_scale:
        scale = {**common, "group": "autoscaling", "version": "v1", "kind": "Scale", "name": f"{kind.plural}/scale"}
        subresources.append({**scale, "verbs": ["get", "patch", "update"]})
    return subresources


def _openapi(name: str, kinds: list[Kind]) -> Object:
    by_prefix = {found[0].prefix: found for found in group_versions(kinds).values()}
    if not name:
        return {"paths": {prefix: {"serverRelativeURL": f"{OPENAPI}/{prefix}?hash=1"} for prefix in by_prefix}}
    if name not in by_prefix:
        raise no_such_path()
    paths: Object = {}
    for kind in by_prefix[name]:
        paths |= _paths(kind)
    schemas = {f"{name.replace('/', '.')}.{kind.kind}": _schema(kind) for kind in by_prefix[name]}
    info = {"title": "Kubernetes", "version": VERSION["gitVersion"]}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": schemas}}


def _paths(kind: Kind) -> Object:
    """kubectl reads here which patch formats a kind supports and whether the server validates fields."""
    base = f"/{kind.prefix}/namespaces/{{namespace}}" if kind.namespaced else f"/{kind.prefix}"
    operation = {"responses": {"200": {"description": "OK"}}, "x-kubernetes-group-version-kind": _gvk(kind)}
    # Strategic merge patch is left out: kubectl would read its merge rules from the schemas, which have none. Without
    # it, kubectl uses its built-in rules.
    formats = [JSON, MERGE]
    validation = {"name": "fieldValidation", "in": "query", "schema": {"type": "string"}}
    patch = {**operation, "parameters": [validation], "requestBody": {"content": {format: {} for format in formats}}}
    return {
        f"{base}/{kind.plural}": {"get": {**operation, "x-kubernetes-action": "list"}},
        f"{base}/{kind.plural}/{{name}}": {"patch": patch},
    }


def _schema(kind: Kind) -> Object:
    parts = {field: {"type": "object"} for field in ("metadata", "spec", "status")}
    return {"type": "object", "properties": parts, "x-kubernetes-group-version-kind": [_gvk(kind)]}


def _gvk(kind: Kind) -> Object:
    return {"group": kind.group, "version": kind.version, "kind": kind.kind}
