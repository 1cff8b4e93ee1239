"""Serves operations of REST services that moto lacks, by a table of paths."""

import json
import re
import urllib.parse
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from sandbox.aws.http.requests import Environ, StartResponse, WsgiApp, buffer_body, caller_and_service


class RestError(Exception):
    """An error of a REST service with its HTTP status and error code."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True)
class RestRequest:
    """path: the parameters of the path. query: the first value of each parameter. body: the JSON body, or empty."""

    path: dict[str, str]
    query: dict[str, str]
    body: dict[str, Any]


Handler = Callable[[RestRequest], dict[str, Any]]


@dataclass(frozen=True)
class RestOperation:
    """pattern: matches the whole decoded path; its named groups are the parameters."""

    service: str
    method: str
    pattern: re.Pattern[str]
    handler: Handler


def operation(service: str, method: str, path: str, handler: Handler) -> RestOperation:
    """path: as botocore writes it, such as `/v1/clusters/{clusterArn}/topics`. An ARN contains slashes."""
    pattern = re.sub(r"\{(\w+)\}", lambda found: f"(?P<{found[1]}>{'.+?' if 'rn' in found[1] else '[^/]+'})", path)
    return RestOperation(service, method, re.compile(pattern), handler)


class Rest:
    """Serves its own operations and passes all other requests to `app`."""

    def __init__(self, app: WsgiApp, operations: Iterable[RestOperation]) -> None:
        self._app, self._operations = app, list(operations)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        _, service = caller_and_service(environ)
        for candidate in self._operations:
            found = candidate.pattern.fullmatch(environ["PATH_INFO"])
            if found and candidate.service == service and candidate.method == environ["REQUEST_METHOD"]:
                return _serve(candidate.handler, found.groupdict(), environ, start_response)
        return self._app(environ, start_response)


def _serve(handler: Handler, path: dict[str, str], environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    body = buffer_body(environ)
    query = dict(urllib.parse.parse_qsl(environ.get("QUERY_STRING", "")))
    headers = [("Content-Type", "application/json")]
    status = 200
    try:
        answer = handler(RestRequest(path, query, json.loads(body) if body else {}))
    except RestError as error:
        status, answer = error.status, {"message": error.message}
        headers.append(("x-amzn-ErrorType", error.code))
    text = json.dumps(answer).encode()
    start_response(f"{status} {HTTPStatus(status).phrase}", [*headers, ("Content-Length", str(len(text)))])
    return [text]


def page(items: list[Any], request: RestRequest, size: int = 100) -> tuple[list[Any], dict[str, str]]:
    """One page of a list by maxResults and nextToken, and the token of the next page if there is one."""
    start = int(request.query.get("nextToken", 0))
    end = start + int(request.query.get("maxResults", size))
    return items[start:end], {"nextToken": str(end)} if end < len(items) else {}
