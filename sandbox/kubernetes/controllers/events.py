"""Events about objects. A repeated event increments the count of the existing one."""

import hashlib
import logging

from sandbox.kubernetes.api.objects.errors import ApiError
from sandbox.kubernetes.api.objects.kinds import EVENTS, Object, name_of, namespace_of
from sandbox.kubernetes.api.storage.registry import Registry, Write
from sandbox.kubernetes.clock import timestamp

log = logging.getLogger(__name__)


def record(registry: Registry, source: str, about: Object, reason: str, message: str, *, warning: bool = False) -> None:
    """Record an event about an object in the object's namespace."""
    identity = f"{about['metadata']['uid']}{source}{reason}{message}"
    suffix = hashlib.sha256(identity.encode()).hexdigest()[:16]
    name, namespace = f"{name_of(about)}.{suffix}", namespace_of(about) or "default"
    if registry.find(EVENTS, namespace, name):
        registry.change(EVENTS, namespace, name, _with_next_count, Write(source))
        return
    event = {
        "metadata": {"name": name},
        "involvedObject": _reference(about),
        "type": "Warning" if warning else "Normal",
        "reason": reason,
        "message": message,
        "source": {"component": source},
    }
    times = {"firstTimestamp": timestamp(), "lastTimestamp": timestamp(), "count": 1}
    try:
        registry.create(EVENTS, namespace, event | times, Write(source))
    except ApiError as error:
        # A terminating namespace accepts no new events. The change that the event reports is complete regardless.
        log.info("%s: %s", reason, error.message)


def _with_next_count(event: Object) -> Object:
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
