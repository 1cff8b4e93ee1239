"""Answers requests as if they had been served, without their effect."""

import contextvars
import copy
import copyreg
import hashlib
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from moto.backends import get_backend
from moto.ssm.models import ParameterDict

from sandbox.aws.http.requests import Environ, StartResponse, WsgiApp, caller_and_service
from sandbox.aws.http.serial import MOTO

# How to copy parts of moto's state that Python cannot copy: locks are shared, ParameterDict needs arguments.
copyreg.pickle(type(threading.RLock()), lambda _: "shared")  # pyright: ignore[reportArgumentType]
copyreg.pickle(ParameterDict, cast(Any, lambda parameters: _reduce(parameters)))
_IGNORED: contextvars.ContextVar[bool] = contextvars.ContextVar("ignored", default=False)
# Signing names that differ from the name of moto's package.
PACKAGES = {"monitoring": "cloudwatch", "elasticloadbalancing": "elbv2"}

# Long lists of records that never change. They get a shallow copy, because a deep copy takes seconds.
GROWING = ("metric_data",)


def _reduce(parameters: ParameterDict) -> tuple[Any, ...]:
    arguments = (parameters.account_id, parameters.region_name)
    return ParameterDict, arguments, vars(parameters), None, iter(list(parameters.items()))


def is_ignored() -> bool:
    """Whether the current request must have no effect."""
    return _IGNORED.get()


class Ignoring:
    """Lets moto serve a request on a copy of its state: the response is moto's, and the state does not change."""

    def __init__(self, app: WsgiApp, account_id: str, region: str) -> None:
        self._app, self._account_id, self._region = app, account_id, region

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        _, service = caller_and_service(environ)
        if service == "s3":
            return _answer_s3(environ, start_response)
        token = _IGNORED.set(True)
        try:
            with MOTO, self._on_a_copy(PACKAGES.get(service, service)):
                return [b"".join(self._app(environ, start_response))]
        finally:
            _IGNORED.reset(token)

    @contextmanager
    def _on_a_copy(self, package: str) -> Iterator[None]:
        backends: Any = get_backend(cast(Any, package))
        regions = backends[self._account_id]
        backend = regions[self._region if self._region in regions.regions else "aws"]
        state = backend.__dict__
        lists = {id(state[name]): list(state[name]) for name in GROWING if name in state}
        backend.__dict__ = copy.deepcopy(state, {id(backend): backend, **lists})
        try:
            yield
        finally:
            backend.__dict__ = state


def _answer_s3(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """moto stores objects in open files, which cannot be copied. S3's response to a put or a delete is empty anyway."""
    body = environ["wsgi.input"].read()
    tag = hashlib.md5(body, usedforsecurity=False).hexdigest()
    status = "204 No Content" if environ["REQUEST_METHOD"] == "DELETE" else "200 OK"
    start_response(status, [("ETag", f'"{tag}"'), ("Content-Length", "0")])
    return [b""]
