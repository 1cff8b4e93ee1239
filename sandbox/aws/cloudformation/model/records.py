"""The records of CloudFormation: stacks with their resources and events, and change sets."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Template = dict[str, Any]
Properties = dict[str, Any]
STACK_TYPE = "AWS::CloudFormation::Stack"


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Resource:
    """One resource of a stack. `properties` are evaluated, except dynamic references."""

    logical_id: str
    type: str
    physical_id: str
    properties: Properties
    attributes: dict[str, Any] = field(default_factory=dict)
    deletion_policy: str = "Delete"
    status: str = "CREATE_IN_PROGRESS"
    status_reason: str | None = None
    updated: datetime = field(default_factory=now)

    @property
    def is_kept(self) -> bool:
        """Whether it stays after it or its stack is deleted. The rollback of a creation keeps it only with Retain."""
        return self.deletion_policy in ("Retain", "RetainExceptOnCreate")


@dataclass(frozen=True)
class Event:
    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str | None
    token: str | None
    properties: str | None = None
    timestamp: datetime = field(default_factory=now)
    event_id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True)
class PropertyChange:
    """One changed property with its values, which are JSON text or plain strings in CloudFormation's response."""

    name: str
    path: str
    before: Any
    after: Any
    recreates: str
    source: str
    causing_entity: str | None = None


@dataclass(frozen=True)
class Change:
    """replacement: "True", "False" or "Conditional" for a Modify, None otherwise."""

    action: str
    logical_id: str
    type: str
    physical_id: str | None = None
    replacement: str | None = None
    details: tuple[PropertyChange, ...] = ()
    before: Properties | None = None
    after: Properties | None = None
    policy_action: str | None = None


@dataclass
class ChangeSet:
    change_set_id: str
    name: str
    type: str
    stack_id: str
    stack_name: str
    body: str
    tags: dict[str, str]
    capabilities: list[str]
    description: str | None
    client_token: str | None
    ready_at: float
    template: Template = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    has_changes: bool = True
    execution_status: str = "AVAILABLE"
    execution_token: str | None = None
    created: datetime = field(default_factory=now)


@dataclass
class Stack:
    """parameters: as given in the request. values: their resolved values at the last change."""

    stack_id: str
    name: str
    status: str
    body: str = ""
    template: Template = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    capabilities: list[str] = field(default_factory=list)
    resources: dict[str, Resource] = field(default_factory=dict)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    change_sets: dict[str, ChangeSet] = field(default_factory=dict)
    status_reason: str | None = None
    change_set_id: str | None = None
    is_protected: bool = False
    created: datetime = field(default_factory=now)
    updated: datetime | None = None
    deleted: datetime | None = None

    @property
    def is_busy(self) -> bool:
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    def move(self, status: str, token: str | None, reason: str | None = None) -> None:
        """Enter the status and add an event."""
        self.status, self.status_reason = status, reason
        self.events.append(Event(self.name, self.stack_id, STACK_TYPE, status, reason, token))
