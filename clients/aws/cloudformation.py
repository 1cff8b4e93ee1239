"""CloudFormation: its stacks, change sets and events."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from clients.assembly import read_assembly
from clients.aws.session import aws_client, translated
from clients.templates import send_template
from delivery.environment import Environment
from delivery.errors import Conflict, NotFound
from delivery.stacks.assembly import StackSpec
from delivery.stacks.change_sets import ListedChangeSet
from delivery.stacks.outputs import StackOutputs, find_outputs, source_of
from delivery.stacks.progress import STACK_TYPE, StackEvent
from delivery.stacks.state import ParameterValue, PropertyChange, ResourceChange, StackState

# The two reasons that CloudFormation gives for a change set without changes, which has no status of its own.
NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
# The number of events of two large operations. They show how long the last operation took.
HISTORY = 400
UNDER_CONSTRUCTION = ("CREATE_PENDING", "CREATE_IN_PROGRESS")


@dataclass(frozen=True)
class ChangeSet:
    """status: CREATE_PENDING, CREATE_IN_PROGRESS, CREATE_COMPLETE, FAILED, and others. changes: of all pages."""

    arn: str
    stack_arn: str
    status: str
    reason: str
    changes: tuple[ResourceChange, ...]

    @property
    def is_described(self) -> bool:
        return self.status not in UNDER_CONSTRUCTION

    @property
    def is_ready(self) -> bool:
        return self.status == "CREATE_COMPLETE"

    @property
    def has_no_changes(self) -> bool:
        return self.status == "FAILED" and any(words in self.reason for words in NO_CHANGES)


class CloudFormation:
    """Reads and changes the stacks of one region. Raises only DeliveryErrors.

    state_url: its bucket stores large templates. role_arn: of `[stacks] execution_role`.
    """

    def __init__(self, region: str, state_url: str, role_arn: str | None = None) -> None:
        self._api = aws_client("cloudformation", region)
        self._region, self._state_url = region, state_url
        self._role = {"RoleARN": role_arn} if role_arn else {}

    def read_stack(self, name: str) -> StackState | None:
        """A stack by name or ARN; None if it does not exist or was deleted."""
        try:
            with translated(f"read stack {name}"):
                found = self._api.describe_stacks(StackName=name)["Stacks"][0]
        except NotFound:
            return None
        return None if found["StackStatus"] == "DELETE_COMPLETE" else _state(found)

    def read_template(self, arn: str) -> str:
        """The template of the stack's last deployment, as it was sent."""
        with translated(f"read the template of {arn}"):
            body = self._api.get_template(StackName=arn, TemplateStage="Original")["TemplateBody"]
        # boto3 parses a template in JSON. Any other template is a text.
        return body if isinstance(body, str) else json.dumps(body)

    def open_change_set(self, stack: StackSpec, name: str, *, is_new: bool) -> str:
        """Create a change set with this name, and return its ARN. If it already exists, only its ARN is returned.

        is_new: the stack does not exist yet. CloudFormation creates it in REVIEW_IN_PROGRESS.
        """
        template = send_template(stack, self._state_url, self._region)
        try:
            with translated(f"create a change set of stack {stack.name}"):
                return self._api.create_change_set(
                    StackName=stack.name,
                    ChangeSetName=name,
                    ChangeSetType="CREATE" if is_new else "UPDATE",
                    ClientToken=name,
                    Capabilities=list(stack.capabilities),
                    Tags=[{"Key": key, "Value": value} for key, value in stack.tags.items()],
                    **template,
                    **self._role,
                )["Id"]
        except Conflict:
            with translated(f"find change set {name} of stack {stack.name}"):
                return self._api.describe_change_set(ChangeSetName=name, StackName=stack.name)["ChangeSetId"]

    def read_change_set(self, arn: str) -> ChangeSet:
        with translated(f"read change set {arn}"):
            pages = list(self._change_set_pages(arn))
        changes = [
            change["ResourceChange"] for page in pages for change in page["Changes"] if "ResourceChange" in change
        ]
        first = pages[0]
        reason = first.get("StatusReason", "")
        return ChangeSet(arn, first["StackId"], first["Status"], reason, tuple(map(_change, changes)))

    def _change_set_pages(self, arn: str) -> Iterator[dict[str, Any]]:
        token: dict[str, str] = {}
        while True:
            page = self._api.describe_change_set(ChangeSetName=arn, IncludePropertyValues=True, **token)
            yield {"Changes": [], **page}
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}

    def list_change_sets(self, stack_arn: str) -> tuple[ListedChangeSet, ...]:
        """All change sets of the stack. CloudFormation removes an executed one after some time."""
        with translated(f"list the change sets of {stack_arn}"):
            pages = self._api.get_paginator("list_change_sets").paginate(StackName=stack_arn)
            return tuple(_listed(found) for page in pages for found in page["Summaries"])

    def delete_change_set(self, arn: str) -> None:
        with translated(f"delete change set {arn}"):
            self._api.delete_change_set(ChangeSetName=arn)

    def execute(self, change_set_arn: str, token: str) -> None:
        """Start the operation. token: its events contain it. A second call with the same token starts nothing."""
        with translated(f"execute change set {change_set_arn}"):
            self._api.execute_change_set(ChangeSetName=change_set_arn, ClientRequestToken=token)

    def read_events(self, arn: str, token: str) -> tuple[StackEvent, ...]:
        """The events of the operation with this token, oldest first; empty if no operation has it."""
        events: list[dict[str, Any]] = []
        with translated(f"read the events of {arn}"):
            for page in self._api.get_paginator("describe_stack_events").paginate(StackName=arn):
                own = [event for event in page["StackEvents"] if _is_of(event, token)]
                events.extend(own)
                # Pages are newest first. A page without an own event is older than the operation.
                if not own:
                    break
        return tuple(map(_event, reversed(events)))

    def read_history(self, arn: str, token: str) -> tuple[StackEvent, ...]:
        """The events of the stack itself before the operation with this token, newest first; not all pages."""
        events: list[dict[str, Any]] = []
        with translated(f"read the events of {arn}"):
            for page in self._api.get_paginator("describe_stack_events").paginate(StackName=arn):
                events += [event for event in page["StackEvents"] if event.get("ClientRequestToken") != token]
                if len(events) > HISTORY:
                    break
        return tuple(_event(event) for event in events if event["ResourceType"] == STACK_TYPE)

    def read_operation(self, arn: str) -> str | None:
        """The token of the last operation on the stack; None if it has no token."""
        with translated(f"read the events of {arn}"):
            newest = self._api.describe_stack_events(StackName=arn)["StackEvents"][:1]
        return newest[0].get("ClientRequestToken") if newest else None

    def delete_stack(self, arn: str, token: str) -> None:
        with translated(f"delete stack {arn}"):
            self._api.delete_stack(StackName=arn, ClientRequestToken=token, **self._role)

    def protect(self, name: str) -> None:
        """Enable the termination protection of the stack."""
        with translated(f"enable the termination protection of stack {name}"):
            self._api.update_termination_protection(StackName=name, EnableTerminationProtection=True)


def connect_cloudformation(environment: Environment) -> CloudFormation:
    return CloudFormation(environment.aws.region, environment.state.url, environment.stacks.execution_role)


def read_outputs(environment: Environment) -> StackOutputs:
    """The stack outputs in `[outputs]`, of the stacks that exist."""
    cloudformation = connect_cloudformation(environment)
    names = {stack.id: stack.name for stack in read_assembly(environment.stacks.assembly)}
    wanted = {source_of(environment.outputs, name)[0] for name in type(environment.outputs).model_fields}
    found = {stack_id: cloudformation.read_stack(names[stack_id]) for stack_id in sorted(wanted & names.keys())}
    return find_outputs(environment.outputs, {stack_id: state.outputs for stack_id, state in found.items() if state})


def _state(found: dict[str, Any]) -> StackState:
    return StackState(
        arn=found["StackId"],
        name=found["StackName"],
        status=found["StackStatus"],
        reason=found.get("StackStatusReason", ""),
        outputs={output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])},
        tags={tag["Key"]: tag["Value"] for tag in found.get("Tags", [])},
        is_protected=found.get("EnableTerminationProtection", False),
        parameters={item["ParameterKey"]: _parameter(item) for item in found.get("Parameters", [])},
    )


def _parameter(item: dict[str, Any]) -> ParameterValue:
    return ParameterValue(given=item.get("ParameterValue", ""), resolved=item.get("ResolvedValue"))


def _is_of(event: dict[str, Any], token: str) -> bool:
    # The first change set of a stack causes an event too, which is not part of the operation.
    return event.get("ClientRequestToken") == token and event["ResourceStatus"] != "REVIEW_IN_PROGRESS"


def _event(event: dict[str, Any]) -> StackEvent:
    return StackEvent(
        id=event["EventId"],
        logical_id=event["LogicalResourceId"],
        physical_id=event.get("PhysicalResourceId", ""),
        type=event["ResourceType"],
        status=event["ResourceStatus"],
        reason=event.get("ResourceStatusReason", ""),
        at=event["Timestamp"],
    )


def _listed(found: dict[str, Any]) -> ListedChangeSet:
    return ListedChangeSet(
        arn=found["ChangeSetId"],
        name=found["ChangeSetName"],
        status=found["Status"],
        execution_status=found["ExecutionStatus"],
        made=found["CreationTime"],
    )


def _change(change: dict[str, Any]) -> ResourceChange:
    return ResourceChange(
        logical_id=change["LogicalResourceId"],
        type=change["ResourceType"],
        action=change["Action"],
        replacement=change.get("Replacement", "False"),
        before=_context(change.get("BeforeContext")),
        after=_context(change.get("AfterContext")),
        # CloudFormation lists a property that changes for two reasons twice.
        properties=tuple(dict.fromkeys(_property(detail["Target"]) for detail in change.get("Details", []))),
    )


def _context(text: str | None) -> dict[str, Any]:
    """The properties of a resource before or after a change; empty if the resource does not exist then."""
    return json.loads(text).get("Properties", {}) if text else {}


def _property(target: dict[str, Any]) -> PropertyChange:
    """Path is a JSON pointer in the resource. It is missing for tags and in older responses."""
    path = target.get("Path", "").removeprefix("/Properties/").replace("/", ".").strip(".")
    name = ".".join(part for part in (target["Attribute"], target.get("Name")) if part).removeprefix("Properties.")
    return PropertyChange(path=path or name, before=target.get("BeforeValue"), after=target.get("AfterValue"))
