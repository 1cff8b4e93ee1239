"""What a resource type of CloudFormation can do, and the register of those there are."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar, TypeVar

from sandbox.aws.cloud import Cloud

Properties = dict[str, Any]
DEFAULT_DURATION = timedelta(seconds=4)


@dataclass(frozen=True)
class Made:
    """A resource as it now is: what Ref yields, and what GetAtt yields by attribute name."""

    physical_id: str
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Deployed:
    """A resource that is there, with the properties it was last given."""

    physical_id: str
    properties: Properties
    attributes: dict[str, Any]


class ResourceType(ABC):
    """One resource type. All but `settle` answer at once; `settle` is called when the time it takes on AWS is over.

    The name given to `create` is the template's or a generated one; a type without a name takes it as its physical id.
    """

    name_property: ClassVar[str] = ""
    duration: ClassVar[timedelta] = DEFAULT_DURATION

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    @abstractmethod
    def create(self, name: str, properties: Properties) -> Made: ...

    @abstractmethod
    def update(self, deployed: Deployed, wanted: Properties) -> Made | None:
        """Change the resource where it is; None when physical id and attributes stay."""

    @abstractmethod
    def delete(self, deployed: Deployed) -> None: ...

    def settle(self, deployed: Deployed) -> None:  # noqa: B027 - most types have nothing to finish
        """Finish a creation or an update."""


class PutType(ResourceType):
    """A type whose service has one call that creates or overwrites."""

    @abstractmethod
    def put(self, name: str, properties: Properties) -> Made: ...

    def create(self, name: str, properties: Properties) -> Made:
        return self.put(name, properties)

    def update(self, deployed: Deployed, wanted: Properties) -> Made | None:
        return self.put(deployed.physical_id, wanted)


_TYPES: dict[str, type[ResourceType]] = {}
AnyType = TypeVar("AnyType", bound=type[ResourceType])


def resource_type(
    name: str, named_by: str = "", duration: timedelta = DEFAULT_DURATION
) -> Callable[[AnyType], AnyType]:
    """Register a class for a type. named_by: the property that names it; duration: how long a creation takes on AWS."""

    def register(cls: AnyType) -> AnyType:
        cls.name_property, cls.duration = named_by, duration
        _TYPES[name] = cls
        return cls

    return register


def registered_types() -> dict[str, type[ResourceType]]:
    return dict(_TYPES)
