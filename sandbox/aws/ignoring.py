"""Writes that are answered as if they were done, and are not."""

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

from sandbox.aws.requests import Environ, StartResponse, WsgiApp, caller_and_service
from sandbox.aws.serial import MOTO

# How to copy what moto's state holds and Python cannot copy by itself: locks are shared, and this dictionary is odd.
copyreg.pickle(type(threading.RLock()), lambda _: "shared")  # pyright: ignore[reportArgumentType]
copyreg.pickle(ParameterDict, cast(Any, lambda known: _reduced(known)))
_IGNORED: contextvars.ContextVar[bool] = contextvars.ContextVar("ignored", default=False)
# Where the name in the signature is not the name of moto's package.
PACKAGES = {"monitoring": "cloudwatch", "elasticloadbalancing": "elbv2"}

# Lists that grow all the time, of records that nobody changes: to copy each of these takes seconds.
GROWING = ("metric_data",)


def _reduced(known: ParameterDict) -> tuple[Any, ...]:
    return ParameterDict, (known.account_id, known.region_name), vars(known), None, iter(list(known.items()))


def is_ignored() -> bool:
    """Whether the request being served is to be answered without an effect."""
    return _IGNORED.get()


class Ignoring:
    """Lets moto serve a request on a copy of its state, so that the answer is moto's own and the state stays."""

    def __init__(self, app: WsgiApp, account_id: str, region: str) -> None:
        self._app, self._account_id, self._region = app, account_id, region

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        _, service = caller_and_service(environ)
        if service == "s3":
            return _answer_s3(environ, start_response)
        token = _IGNORED.set(True)
        try:
            with MOTO, self._kept(PACKAGES.get(service, service)):
                return [b"".join(self._app(environ, start_response))]
        finally:
            _IGNORED.reset(token)

    @contextmanager
    def _kept(self, package: str) -> Iterator[None]:
        backends: Any = get_backend(cast(Any, package))
        regions = backends[self._account_id]
        backend = regions[self._region if self._region in regions.regions else "aws"]
        kept = backend.__dict__
        lists = {id(kept[name]): list(kept[name]) for name in GROWING if name in kept}
        backend.__dict__ = copy.deepcopy(kept, {id(backend): backend, **lists})
        try:
            yield
        finally:
            backend.__dict__ = kept


def _answer_s3(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """moto keeps objects in open files, which cannot be copied; S3's answer to a put or delete is empty anyway."""
    body = environ["wsgi.input"].read()
    tag = hashlib.md5(body, usedforsecurity=False).hexdigest()
    status = "204 No Content" if environ["REQUEST_METHOD"] == "DELETE" else "200 OK"
    start_response(status, [("ETag", f'"{tag}"'), ("Content-Length", "0")])
    return [b""]
