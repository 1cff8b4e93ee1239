"""Creates, updates and deletes single resources, with their durations and events."""

import json
import threading
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from sandbox.aws.cloud import Cloud
from sandbox.aws.cloudformation.execution.dynamic_references import resolve
from sandbox.aws.cloudformation.execution.names import generated_name
from sandbox.aws.cloudformation.model.records import Event, Properties, Resource, Stack, now
from sandbox.aws.cloudformation.model.resource_type import Deployed, ResourceType, ReturnValues
from sandbox.aws.cloudformation.templates.schemas import property_error
from sandbox.aws.faults.faults import Faults


class ResourceFailed(Exception):
    """A resource could not be created, updated or deleted. Its event has the reason."""


@dataclass
class Worker:
    """Works on the resources of one stack for one request, whose token is in every event."""

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
            self._fail_if_injected(resource, "CREATE")
            _check(resource, properties)
            wanted = properties.get(kind.name_property) or generated_name(self.stack.name, resource.type, name)
            returned = kind.create(wanted, resolve(self.cloud, properties))
            _store(resource, returned)
            self.stack.resources[name] = resource
            self.record(resource, "CREATE_IN_PROGRESS", "Resource creation Initiated")
            self._finish(kind, resource)

    def update(self, resource: Resource, properties: Properties) -> None:
        kind = self.types[resource.type]
        with _Attempt(self, resource, "UPDATE"):
            self._fail_if_injected(resource, "UPDATE")
            _check(resource, properties)
            returned = kind.update(self._deployed(resource), resolve(self.cloud, properties))
            if returned is not None:
                _store(resource, returned)
            resource.properties = properties
            self._finish(kind, resource)

    def delete(self, resource: Resource, is_retained: bool = False) -> None:
        """Delete the resource. With is_retained, only the event is written, and the resource stays."""
        if is_retained:
            self.record(resource, "DELETE_SKIPPED")
            return
        with _Attempt(self, resource, "DELETE"):
            self._fail_if_injected(resource, "DELETE")
            self.types[resource.type].delete(self._deployed(resource))

    def record(self, resource: Resource, status: str, reason: str | None = None) -> None:
        resource.status, resource.status_reason, resource.updated = status, reason, now()
        properties = json.dumps(resource.properties)
        event = Event(resource.logical_id, resource.physical_id, resource.type, status, reason, self.token, properties)
        self.stack.events.append(event)

    def _finish(self, kind: ResourceType, resource: Resource) -> None:
        """Wait for the duration of the type, then complete the resource."""
        self._wait(kind, fraction=1.0)
        kind.finish(self._deployed(resource))

    def _deployed(self, resource: Resource) -> Deployed:
        properties = resolve(self.cloud, resource.properties)
        return Deployed(resource.physical_id, properties, resource.attributes)

    def _fail_if_injected(self, resource: Resource, verb: str) -> None:
        reason = self.faults.resource_failure(self.stack.name, resource.logical_id, resource.type, verb)
        if reason is not None:
            self._wait(self.types[resource.type], fraction=0.5)
            raise ResourceFailed(reason)

    def _wait(self, kind: ResourceType, fraction: float) -> None:
        if self.cancelled.wait(self.cloud.shortened(kind.duration) * fraction):
            raise ResourceFailed("Resource creation cancelled")


@dataclass
class _Attempt:
    """Records the start and the end of an attempt. An error becomes a FAILED event and a ResourceFailed."""

    worker: Worker
    resource: Resource
    verb: str

    def __enter__(self) -> None:
        self.worker.record(self.resource, f"{self.verb}_IN_PROGRESS")

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            self.worker.record(self.resource, f"{self.verb}_COMPLETE")
            return
        reason = reason_of(error)
        self.worker.record(self.resource, f"{self.verb}_FAILED", reason)
        if not isinstance(error, ResourceFailed):
            raise ResourceFailed(reason) from error


def reason_of(error: BaseException) -> str:
    """The error in the words of a CloudFormation event."""
    if isinstance(error, ClientError):
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        return f'Resource handler returned message: "{message}" (HandlerErrorCode: {code})'
    return str(error) or type(error).__name__


def _check(resource: Resource, properties: Properties) -> None:
    wrong = property_error(resource.type, properties)
    if wrong is not None:
        raise ResourceFailed(f"Properties validation failed for resource {resource.logical_id} with message: {wrong}")


def _store(resource: Resource, returned: ReturnValues) -> None:
    resource.physical_id, resource.attributes = returned.physical_id, returned.attributes


def _policy(definition: dict[str, Any]) -> str:
    return definition.get("DeletionPolicy", "Delete")
