"""The caller, the service and the operation of a request, read from the request as AWS does."""

import io
import re
import urllib.parse
from collections.abc import Callable, Iterable
from typing import Any

from sandbox.aws.http.routes import routes_of

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
WsgiApp = Callable[[Environ, StartResponse], Iterable[bytes]]

CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/[^/]+/([^/]+)/")
ACTION = re.compile(r"(?:^|&)Action=([A-Za-z]+)")


def caller_and_service(environ: Environ) -> tuple[str, str]:
    """The access key and the signing name of the service. Two empty strings if the request is not signed."""
    found = CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    return (found.group(1), found.group(2)) if found else ("", "")


def buffer_body(environ: Environ) -> bytes:
    """Read the body into memory, so that it can be read again, and no lock is taken while a socket is read."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def is_query_protocol(environ: Environ, body: bytes) -> bool:
    return "HTTP_X_AMZ_TARGET" not in environ and _action(environ, body) is not None


def operation_of(environ: Environ, body: bytes) -> str:
    """`service:Operation` with the signing name of the service, such as `cloudformation:CreateChangeSet`."""
    _, service = caller_and_service(environ)
    target = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    name = target or _action(environ, body) or _operation_of_route(service, environ)
    return f"{service}:{name}"


def _action(environ: Environ, body: bytes) -> str | None:
    if not environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        return None
    found = ACTION.search(body.decode("latin-1"))
    return found.group(1) if found else None


def _operation_of_route(service: str, environ: Environ) -> str:
    path = environ["PATH_INFO"].rstrip("/") or "/"
    query = set(urllib.parse.parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    headers = {name[5:].replace("_", "-").lower() for name in environ if name.startswith("HTTP_")}
    for route in routes_of(service):
        if route.matches(environ["REQUEST_METHOD"], path, query, headers):
            return route.operation
    return f"{environ['REQUEST_METHOD']} {path}"
