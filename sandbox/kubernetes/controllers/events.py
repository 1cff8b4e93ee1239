"""Events: what controllers tell about an object, counted when it is said again."""

import hashlib
import logging

from sandbox.kubernetes.api.errors import ApiError
from sandbox.kubernetes.api.kinds import EVENTS, Object, name_of, namespace_of
from sandbox.kubernetes.api.registry import Registry, Write
from sandbox.kubernetes.clock import timestamp

log = logging.getLogger(__name__)


def record(registry: Registry, source: str, about: Object, reason: str, message: str, *, warning: bool = False) -> None:
    """Say something about an object in its namespace."""
    said = f"{about['metadata']['uid']}{source}{reason}{message}"
    suffix = hashlib.sha256(said.encode()).hexdigest()[:16]
    name, namespace = f"{name_of(about)}.{suffix}", namespace_of(about) or "default"
    write = Write(source)
    if registry.find(EVENTS, namespace, name):
        registry.change(EVENTS, namespace, name, _said_again, write)
        return
    event = {
        "metadata": {"name": name},
        "involvedObject": _reference(about),
        "type": "Warning" if warning else "Normal",
        "reason": reason,
        "message": message,
        "source": {"component": source},
        "firstTimestamp": timestamp(),
        "lastTimestamp": timestamp(),
        "count": 1,
    }
    try:
        registry.create(EVENTS, namespace, event, write)
    except ApiError as error:
        # A namespace that is going takes no events any more; what was to be told of is done all the same.
        log.info("%s: %s", reason, error.message)


def _said_again(event: Object) -> Object:
    return {**event, "count": event["count"] + 1, "lastTimestamp": timestamp()}


def _reference(about: Object) -> Object:
    metadata = about["metadata"]
    return {
        "apiVersion": about["apiVersion"],
        "kind": about["kind"],
        "name": metadata["name"],
        "namespace": metadata.get("namespace", ""),
        "uid": metadata["uid"],
        "resourceVersion": metadata.get("resourceVersion", ""),
    }
