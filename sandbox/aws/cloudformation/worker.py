"""One resource at a time: made, changed or removed, in its own time, with its events."""

import json
import threading
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from sandbox.aws.cloud import Cloud
from sandbox.aws.cloudformation.dynamic_references import resolve
from sandbox.aws.cloudformation.names import generated_name
from sandbox.aws.cloudformation.records import Event, Properties, Resource, Stack, now
from sandbox.aws.cloudformation.schemas import complaint
from sandbox.aws.faults import Faults
from sandbox.aws.types.resource import Deployed, Made, ResourceType


class ResourceFailed(Exception):
    """A resource could not be made, changed or removed; its event tells why."""


@dataclass
class Worker:
    """Works on the resources of one stack for one request, whose token stands in every event."""

    cloud: Cloud
    types: dict[str, ResourceType]
    faults: Faults
    stack: Stack
    token: str | None
    cancelled: threading.Event = field(default_factory=threading.Event)

    def create(self, name: str, definition: dict[str, Any], properties: Properties) -> None:
        kind = self.types[definition["Type"]]
        resource = Resource(name, definition["Type"], "", properties, deletion_policy=_policy(definition))
        with _Attempt(self, resource, "CREATE"):
            self._fail_if_wanted(resource, "CREATE")
            _check(resource, properties)
            wanted = properties.get(kind.name_property) or generated_name(self.stack.name, resource.type, name)
            made = kind.create(wanted, resolve(self.cloud, properties))
            _take(resource, made)
            self.stack.resources[name] = resource
            self.tell(resource, "CREATE_IN_PROGRESS", "Resource creation Initiated")
            self._finish(kind, resource)

    def update(self, resource: Resource, properties: Properties) -> None:
        kind = self.types[resource.type]
        with _Attempt(self, resource, "UPDATE"):
            self._fail_if_wanted(resource, "UPDATE")
            _check(resource, properties)
            made = kind.update(self._deployed(resource), resolve(self.cloud, properties))
            if made is not None:
                _take(resource, made)
            resource.properties = properties
            self._finish(kind, resource)

    def delete(self, resource: Resource, is_retained: bool = False) -> None:
        """Remove the resource, or with is_retained leave it where it is and forget it."""
        if is_retained:
            self.tell(resource, "DELETE_SKIPPED")
            return
        with _Attempt(self, resource, "DELETE"):
            self._fail_if_wanted(resource, "DELETE")
            self.types[resource.type].delete(self._deployed(resource))

    def tell(self, resource: Resource, status: str, reason: str | None = None) -> None:
        resource.status, resource.status_reason, resource.updated = status, reason, now()
        properties = json.dumps(resource.properties)
        event = Event(resource.logical_id, resource.physical_id, resource.type, status, reason, self.token, properties)
        self.stack.events.append(event)

    def _finish(self, kind: ResourceType, resource: Resource) -> None:
        """Let the time pass that the type takes, then let it come to rest."""
        self._pass_time(kind, share=1.0)
        kind.settle(self._deployed(resource))

    def _deployed(self, resource: Resource) -> Deployed:
        properties = resolve(self.cloud, resource.properties)
        return Deployed(resource.physical_id, properties, resource.attributes)

    def _fail_if_wanted(self, resource: Resource, verb: str) -> None:
        reason = self.faults.resource_failure(self.stack.name, resource.logical_id, resource.type, verb)
        if reason is not None:
            self._pass_time(self.types[resource.type], share=0.5)
            raise ResourceFailed(reason)

    def _pass_time(self, kind: ResourceType, share: float) -> None:
        if self.cancelled.wait(self.cloud.shortened(kind.duration) * share):
            raise ResourceFailed("Resource creation cancelled")


@dataclass
class _Attempt:
    """Tells of an attempt's begin and end; any error becomes the reason of its FAILED event and a ResourceFailed."""

    worker: Worker
    resource: Resource
    verb: str

    def __enter__(self) -> None:
        self.worker.tell(self.resource, f"{self.verb}_IN_PROGRESS")

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            self.worker.tell(self.resource, f"{self.verb}_COMPLETE")
            return
        reason = reason_of(error)
        self.worker.tell(self.resource, f"{self.verb}_FAILED", reason)
        if not isinstance(error, ResourceFailed):
            raise ResourceFailed(reason) from error


def reason_of(error: BaseException) -> str:
    """The error as CloudFormation words it in an event."""
    if isinstance(error, ClientError):
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        return f'Resource handler returned message: "{message}" (HandlerErrorCode: {code})'
    return str(error) or type(error).__name__


def _check(resource: Resource, properties: Properties) -> None:
    wrong = complaint(resource.type, properties)
    if wrong is not None:
        raise ResourceFailed(f"Properties validation failed for resource {resource.logical_id} with message: {wrong}")


def _take(resource: Resource, made: Made) -> None:
    resource.physical_id, resource.attributes = made.physical_id, made.attributes


def _policy(definition: dict[str, Any]) -> str:
    return definition.get("DeletionPolicy", "Delete")
