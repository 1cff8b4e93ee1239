"""The API over HTTP: a Starlette application."""

import json
from collections.abc import Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from sandbox.kubernetes.api.objects.errors import ApiError, bad_request, method_not_allowed, no_such_path
from sandbox.kubernetes.api.objects.kinds import CUSTOM_RESOURCE_DEFINITIONS, KINDS, PODS, Kind, Object, name_of
from sandbox.kubernetes.api.serving.authentication import Authenticator
from sandbox.kubernetes.api.serving.discovery import discover
from sandbox.kubernetes.api.serving.pages import as_list, cut_page, read_limit, read_token
from sandbox.kubernetes.api.serving.requests import (
    DEFAULT_WATCH_SECONDS,
    Target,
    is_true,
    read_matcher,
    read_resource_version,
    read_target,
)
from sandbox.kubernetes.api.serving.scale import as_scale
from sandbox.kubernetes.api.serving.tables import as_table
from sandbox.kubernetes.api.serving.verbs import Verbs
from sandbox.kubernetes.api.serving.watches import Watch
from sandbox.kubernetes.api.storage.registry import Registry

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
SWAGGER = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
OPEN_PATHS = {"/livez", "/readyz", "/healthz", "/version"}


class Server:
    """Handles requests with the registry. logs: the folder of the pods' logs."""

    def __init__(self, registry: Registry, authenticator: Authenticator, logs: Path) -> None:
        self._registry = registry
        self._authenticator = authenticator
        self._logs = logs
        self._verbs = Verbs(registry)
        # The server does not know the changes from before its start.
        self._oldest = registry.store.resource_version
        self.application = Starlette(routes=[Route("/{path:path}", self._respond, methods=METHODS)])

    async def _respond(self, request: Request) -> Response:
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
        if path == "/openapi/v2":
            # kubectl reads this to validate a List. With an empty protobuf document it leaves validation to the server.
            return Response(b"", media_type=SWAGGER)
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
        """A custom kind is served while its definition exists."""
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
            metadata = {"resourceVersion": obj["metadata"]["resourceVersion"]}
            return _json(as_table(target.kind, [obj], metadata) if wants_table else obj)
        objects, metadata = self._list(request, target)
        return _json(
            as_table(target.kind, objects, metadata) if wants_table else as_list(target.kind, objects, metadata)
        )

    def _list(self, request: Request, target: Target) -> tuple[list[Object], Object]:
        """The objects of one page, and the list's metadata."""
        query, store = request.query_params, self._registry.store
        token = read_token(query, store.resource_version)
        resource_version = token.resource_version if token else store.resource_version
        found = store.select_at(target.kind, target.namespace, resource_version)
        has_selector = bool(query.get("labelSelector") or query.get("fieldSelector"))
        matching = list(filter(read_matcher(target, query), found))
        return cut_page(matching, read_limit(query), token, resource_version, counted=not has_selector)

    def _watch(self, request: Request, target: Target) -> Response:
        query = request.query_params
        if "sendInitialEvents" in query:
            # Clients fall back to list and watch; the streamed list is not implemented.
            raise bad_request("sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled")
        watch = Watch(
            kind=target.kind,
            namespace=target.namespace,
            matches=read_matcher(target, query),
            resource_version=read_resource_version(query),
            timeout=float(query.get("timeoutSeconds") or DEFAULT_WATCH_SECONDS),
            oldest=self._oldest,
            bookmarks=is_true(query.get("allowWatchBookmarks")),
        )
        stream = watch.stream(self._registry.store, _renderer(request, target))
        return StreamingResponse(stream, media_type="application/json")

    def _log(self, request: Request, target: Target) -> Response:
        pod = self._registry.get(PODS, target.namespace, target.name)
        path = self._logs / f"{name_of(pod)}.log"
        lines = path.read_text(errors="replace").splitlines(keepends=True) if path.exists() else []
        tail = int(request.query_params.get("tailLines") or len(lines))
        return PlainTextResponse("".join(lines[max(len(lines) - tail, 0) :]))


def _subresources(kind: Kind) -> set[str]:
    """The subresources of the kind; "" is the object itself."""
    supported = {"": True, "status": kind.has_status, "log": kind is PODS, "scale": kind.has_scale}
    return {name for name, is_supported in supported.items() if is_supported}


def _renderer(request: Request, target: Target) -> Callable[[Object], Object]:
    if "as=Table" not in request.headers.get("accept", ""):
        return lambda obj: obj
    return lambda obj: as_table(target.kind, [obj], {"resourceVersion": obj["metadata"]["resourceVersion"]})


def _json(body: Object, code: int = 200) -> Response:
    return Response(json.dumps(body, separators=(",", ":")), code, media_type="application/json")
