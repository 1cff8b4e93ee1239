"""Injects faults into requests before they reach a service. The control endpoint is /sandbox/faults."""

import json
import socket
import threading
from collections.abc import Iterable

from sandbox.aws.cloud import CLOUDFORMATION
from sandbox.aws.faults.answers import answer_of
from sandbox.aws.faults.faults import Fault, Faults
from sandbox.aws.http.requests import Environ, StartResponse, WsgiApp, buffer_body, caller_and_service, operation_of

CONTROL = "/sandbox/faults"


class FaultInjector:
    """POST adds a fault or a list of faults, GET returns the active faults and their hits, DELETE removes all."""

    def __init__(self, app: WsgiApp, ignoring: WsgiApp, faults: Faults) -> None:
        self._app, self._ignoring, self._faults = app, ignoring, faults

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        body = buffer_body(environ)
        if environ["PATH_INFO"] == CONTROL:
            return self._control(environ["REQUEST_METHOD"], body, start_response)
        caller, service = caller_and_service(environ)
        if not service or caller == CLOUDFORMATION:
            return self._app(environ, start_response)
        fault = self._faults.next_for(operation_of(environ, body), caller)
        return self._app(environ, start_response) if fault is None else self._hit(fault, environ, body, start_response)

    def _hit(self, fault: Fault, environ: Environ, body: bytes, start_response: StartResponse) -> Iterable[bytes]:
        if fault.kind == "slow":
            threading.Event().wait(fault.seconds)
            return self._app(environ, start_response)
        if fault.kind == "ignore":
            return self._ignoring(environ, start_response)
        if fault.kind == "drop":
            return self._drop(environ)
        status, headers, answer = answer_of(fault.kind, environ, body)
        start_response(status, headers)
        return [answer]

    def _drop(self, environ: Environ) -> Iterable[bytes]:
        """Serve the request and close the connection, so that the caller gets no response."""
        list(self._app(environ, lambda *_: lambda _: None))
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        raise ConnectionResetError("The fault injector dropped the response.")

    def _control(self, method: str, body: bytes, start_response: StartResponse) -> Iterable[bytes]:
        status = "200 OK"
        answer: object = None
        if method == "POST":
            try:
                given = json.loads(body)
                self._faults.add([Fault.read(one) for one in (given if isinstance(given, list) else [given])])
            except ValueError as error:
                status, answer = "400 Bad Request", {"error": str(error)}
        elif method == "DELETE":
            self._faults.clear()
        text = json.dumps(answer or self._faults.report()).encode()
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(text)))])
        return [text]
