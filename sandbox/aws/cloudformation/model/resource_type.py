"""The interface of a resource type of CloudFormation, and the register of the implemented types."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar, TypeVar

from sandbox.aws.cloud import Cloud

Properties = dict[str, Any]
DEFAULT_DURATION = timedelta(seconds=4)


@dataclass(frozen=True)
class ReturnValues:
    """What Ref returns for a resource, and what GetAtt returns for each attribute."""

    physical_id: str
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Deployed:
    """An existing resource with its current properties."""

    physical_id: str
    properties: Properties
    attributes: dict[str, Any]


class ResourceType(ABC):
    """One resource type. `finish` is called when `duration`, shortened by the time factor, is over.

    The name for `create` is from the template or generated. A type without a name uses it as its physical ID.
    """

    name_property: ClassVar[str] = ""
    duration: ClassVar[timedelta] = DEFAULT_DURATION

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    @abstractmethod
    def create(self, name: str, properties: Properties) -> ReturnValues: ...

    @abstractmethod
    def update(self, deployed: Deployed, wanted: Properties) -> ReturnValues | None:
        """Change the resource in place. None if the physical ID and the attributes stay the same."""

    @abstractmethod
    def delete(self, deployed: Deployed) -> None: ...

    def finish(self, deployed: Deployed) -> None:  # noqa: B027 - most types have nothing to finish
        """Complete a creation or an update."""


class PutType(ResourceType):
    """A type whose service has one call to create or overwrite a resource."""

    @abstractmethod
    def put(self, name: str, properties: Properties) -> ReturnValues: ...

    def create(self, name: str, properties: Properties) -> ReturnValues:
        return self.put(name, properties)

    def update(self, deployed: Deployed, wanted: Properties) -> ReturnValues | None:
        return self.put(deployed.physical_id, wanted)


_TYPES: dict[str, type[ResourceType]] = {}
AnyType = TypeVar("AnyType", bound=type[ResourceType])


def resource_type(
    name: str, named_by: str = "", duration: timedelta = DEFAULT_DURATION
) -> Callable[[AnyType], AnyType]:
    """Register a class for a type. named_by: the property with its name. duration: of a creation or update on AWS."""

    def register(cls: AnyType) -> AnyType:
        cls.name_property, cls.duration = named_by, duration
        _TYPES[name] = cls
        return cls

    return register


def registered_types() -> dict[str, type[ResourceType]]:
    return dict(_TYPES)
