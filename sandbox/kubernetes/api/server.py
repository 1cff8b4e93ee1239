"""The API over HTTP: a Starlette application."""

import json
from collections.abc import Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from sandbox.kubernetes.api.authentication import Authenticator
from sandbox.kubernetes.api.discovery import discover
from sandbox.kubernetes.api.errors import ApiError, bad_request, expired, method_not_allowed, no_such_path
from sandbox.kubernetes.api.kinds import CUSTOM_RESOURCE_DEFINITIONS, KINDS, PODS, Kind, Object, name_of
from sandbox.kubernetes.api.registry import Registry
from sandbox.kubernetes.api.requests import (
    DEFAULT_WATCH_SECONDS,
    Target,
    is_true,
    read_matcher,
    read_revision,
    read_target,
)
from sandbox.kubernetes.api.scale import as_scale
from sandbox.kubernetes.api.tables import as_table
from sandbox.kubernetes.api.verbs import Verbs
from sandbox.kubernetes.api.watches import Watch

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
OPEN_PATHS = {"/livez", "/readyz", "/healthz", "/version"}


class Server:
    """Answers requests from the registry. logs: folder of the pods' logs."""

    def __init__(self, registry: Registry, authenticator: Authenticator, logs: Path) -> None:
        self._registry = registry
        self._authenticator = authenticator
        self._logs = logs
        self._verbs = Verbs(registry)
        self.application = Starlette(routes=[Route("/{path:path}", self._answer, methods=METHODS)])

    async def _answer(self, request: Request) -> Response:
        try:
            if request.url.path.rstrip("/") not in OPEN_PATHS:
                await self._authenticator.check(request.headers.get("authorization", ""))
            return await self._dispatch(request)
        except ApiError as error:
            return _json(error.status(), error.code)

    async def _dispatch(self, request: Request) -> Response:
        path = request.url.path.rstrip("/")
        if path in OPEN_PATHS - {"/version"}:
            return PlainTextResponse("ok")
        if (document := discover(path, self._served())) is not None:
            return _json(document)
        target = read_target(path)
        if not self._is_served(target.kind):
            raise no_such_path()
        if target.subresource not in _subresources(target.kind):
            raise no_such_path()
        if request.method == "GET":
            return self._read(request, target)
        if target.subresource == "log":
            raise method_not_allowed()
        code, body = self._verbs.write(
            request.method, target, request.query_params, request.headers, await request.body()
        )
        return _json(body, code)

    def _served(self) -> list[Kind]:
        return [kind for kind in KINDS if self._is_served(kind)]

    def _is_served(self, kind: Kind) -> bool:
        """A custom kind is served for as long as its definition is there."""
        return not kind.is_custom or self._registry.find(CUSTOM_RESOURCE_DEFINITIONS, "", kind.resource) is not None

    def _read(self, request: Request, target: Target) -> Response:
        if target.subresource == "log":
            return self._log(request, target)
        if is_true(request.query_params.get("watch")):
            return self._watch(request, target)
        if target.subresource == "scale":
            return _json(as_scale(self._registry.get(target.kind, target.namespace, target.name)))
        wants_table = "as=Table" in request.headers.get("accept", "")
        if target.name:
            obj = self._registry.get(target.kind, target.namespace, target.name)
            revision = obj["metadata"]["resourceVersion"]
            return _json(as_table(target.kind, [obj], revision) if wants_table else obj)
        objects = list(filter(read_matcher(target, request.query_params), self._select(target)))
        revision = str(self._registry.store.revision)
        return _json(as_table(target.kind, objects, revision) if wants_table else _list(target, objects, revision))

    def _select(self, target: Target) -> list[Object]:
        return self._registry.select(target.kind, target.namespace)

    def _watch(self, request: Request, target: Target) -> Response:
        query = request.query_params
        if "sendInitialEvents" in query:
            # Clients fall back to list and watch; the streamed list is not implemented.
            raise bad_request("sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled")
        watch = Watch(
            kind=target.kind,
            namespace=target.namespace,
            matches=read_matcher(target, query),
            revision=read_revision(query),
            timeout=float(query.get("timeoutSeconds") or DEFAULT_WATCH_SECONDS),
            bookmarks=is_true(query.get("allowWatchBookmarks")),
        )
        if watch.revision is not None:
            self._check_revision(watch.revision)
        stream = watch.stream(self._registry.store, _shower(request, target))
        return StreamingResponse(stream, media_type="application/json")

    def _check_revision(self, revision: int) -> None:
        store = self._registry.store
        if revision > store.revision:
            raise expired(revision, store.revision)
        store.changes_since(revision)

    def _log(self, request: Request, target: Target) -> Response:
        pod = self._registry.get(PODS, target.namespace, target.name)
        path = self._logs / f"{name_of(pod)}.log"
        lines = path.read_text(errors="replace").splitlines(keepends=True) if path.exists() else []
        tail = int(request.query_params.get("tailLines") or len(lines))
        return PlainTextResponse("".join(lines[max(len(lines) - tail, 0) :]))


def _subresources(kind: Kind) -> set[str]:
    """Those that the kind has; "" is the object itself."""
    return {"", "status"} | ({"log"} if kind is PODS else set()) | ({"scale"} if kind.has_scale else set())


def _shower(request: Request, target: Target) -> Callable[[Object], Object]:
    if "as=Table" not in request.headers.get("accept", ""):
        return lambda obj: obj
    return lambda obj: as_table(target.kind, [obj], obj["metadata"]["resourceVersion"])


def _list(target: Target, objects: list[Object], revision: str) -> Object:
    kind = target.kind
    metadata = {"resourceVersion": revision}
    return {"apiVersion": kind.group_version, "kind": f"{kind.kind}List", "metadata": metadata, "items": objects}


def _json(body: Object, code: int = 200) -> Response:
    return Response(json.dumps(body, separators=(",", ":")), code, media_type="application/json")
