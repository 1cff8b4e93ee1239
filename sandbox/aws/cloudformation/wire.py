"""The protocol of CloudFormation: turns query parameters into calls of the engine, and records into responses."""

import time
from typing import Any, ClassVar

from moto.core.responses import ActionResult, BaseResponse, EmptyResult

from sandbox.aws.cloudformation import change_sets, shapes
from sandbox.aws.cloudformation.engine import Engine
from sandbox.aws.cloudformation.model.errors import NotOffered, ValidationError
from sandbox.aws.cloudformation.sent_templates import check_body, read_template_at
from sandbox.aws.faults.ignoring import is_ignored

EVENTS_PER_PAGE = 100
CHANGES_PER_PAGE = 100


class CloudFormationWire(BaseResponse):
    """One request. The server sets `engine` when it starts."""

    engine: ClassVar[Engine]

    def __init__(self) -> None:
        super().__init__(service_name="cloudformation")
        self.automated_parameter_parsing = True

    def call_action(self) -> Any:
        try:
            return super().call_action()
        except NotImplementedError:
            refusal = NotOffered(f"The CloudFormation of the sandbox does not support {self._get_action()}.")
            status, headers, body = self.serialized(ActionResult(refusal))
            return status, headers, body

    def create_change_set(self) -> ActionResult:
        if is_ignored():
            arn = self.engine.cloud.arn("cloudformation", f"changeSet/{self._get_param('ChangeSetName')}/ignored")
            return ActionResult({"Id": arn, "StackId": self.engine.cloud.arn("cloudformation", "stack/ignored")})
        change_set = self.engine.create_change_set(self._change_set_request())
        return ActionResult({"Id": change_set.change_set_id, "StackId": change_set.stack_id})

    def _change_set_request(self) -> change_sets.Request:
        return change_sets.Request(
            stack_name=self._get_param("StackName"),
            name=self._get_param("ChangeSetName"),
            type=self._get_param("ChangeSetType", "UPDATE"),
            body=self._body(),
            parameters=self._get_param("Parameters", []),
            tags={tag["Key"]: tag["Value"] for tag in self._get_param("Tags", [])},
            capabilities=self._get_param("Capabilities", []),
            description=self._get_param("Description"),
            client_token=self._get_param("ClientToken"),
        )

    def _body(self) -> str | None:
        body, url = self._get_param("TemplateBody"), self._get_param("TemplateURL")
        if body is not None and url is not None:
            raise ValidationError("You cannot specify both TemplateURL and TemplateBody")
        if url is not None:
            return read_template_at(self.engine.cloud, url)
        if body is not None:
            check_body(body)
        elif not self._get_bool_param("UsePreviousTemplate", False):
            raise ValidationError("Either Template URL or Template Body must be specified.")
        return body

    def describe_change_set(self) -> ActionResult:
        change_set = self.engine.change_set(self._get_param("ChangeSetName"), self._get_param("StackName"))
        status = change_sets.status_of(change_set, time.monotonic())
        with_values = self._get_bool_param("IncludePropertyValues", False)
        shape = shapes.change_set(change_set, status, bool(with_values))
        changes, token = _page(shape["Changes"], self._get_param("NextToken"), CHANGES_PER_PAGE)
        return ActionResult({**shape, "Changes": changes, "NextToken": token})

    def execute_change_set(self) -> ActionResult:
        name, stack = self._get_param("ChangeSetName"), self._get_param("StackName")
        if not is_ignored():
            self.engine.execute_change_set(name, stack, self._get_param("ClientRequestToken"))
        return EmptyResult()

    def delete_change_set(self) -> ActionResult:
        if not is_ignored():
            self.engine.delete_change_set(self._get_param("ChangeSetName"), self._get_param("StackName"))
        return EmptyResult()

    def list_change_sets(self) -> ActionResult:
        stack = self.engine.stack(self._get_param("StackName"))
        moment = time.monotonic()
        sets = [
            shapes.change_set_summary(item, change_sets.status_of(item, moment)) for item in stack.change_sets.values()
        ]
        return ActionResult({"Summaries": sets})

    def describe_stacks(self) -> ActionResult:
        name = self._get_param("StackName")
        existing = [stack for stack in self.engine.stacks if stack.status != "DELETE_COMPLETE"]
        stacks = [self.engine.stack(name)] if name else existing[::-1]
        return ActionResult({"Stacks": [shapes.stack(item) for item in stacks]})

    def list_stacks(self) -> ActionResult:
        wanted = self._get_param("StackStatusFilter", [])
        stacks = [stack for stack in reversed(self.engine.stacks) if not wanted or stack.status in wanted]
        return ActionResult({"StackSummaries": [shapes.stack_summary(item) for item in stacks]})

    def describe_stack_events(self) -> ActionResult:
        stack = self.engine.stack(self._get_param("StackName"))
        # The token counts from the oldest event, so that new events do not shift the next page.
        end = int(self._get_param("NextToken") or len(stack.events))
        start = max(0, end - EVENTS_PER_PAGE)
        events = [shapes.event(stack, item) for item in reversed(stack.events[start:end])]
        return ActionResult({"StackEvents": events, "NextToken": str(start) if start else None})

    def list_stack_resources(self) -> ActionResult:
        stack = self.engine.stack(self._get_param("StackName"))
        return ActionResult(
            {"StackResourceSummaries": [shapes.resource(item) for item in list(stack.resources.values())]}
        )

    def describe_stack_resources(self) -> ActionResult:
        stack = self.engine.stack(self._get_param("StackName"))
        wanted = self._get_param("LogicalResourceId")
        found = [item for item in list(stack.resources.values()) if wanted in (None, item.logical_id)]
        return ActionResult({"StackResources": [shapes.resource_of(stack, item) for item in found]})

    def describe_stack_resource(self) -> ActionResult:
        stack, wanted = self.engine.stack(self._get_param("StackName")), self._get_param("LogicalResourceId")
        if wanted not in stack.resources:
            raise ValidationError(f"Resource {wanted} does not exist for stack {stack.name}")
        return ActionResult({"StackResourceDetail": shapes.resource_of(stack, stack.resources[wanted])})

    def get_template(self) -> ActionResult:
        name = self._get_param("ChangeSetName")
        source = self.engine.change_set(name, self._get_param("StackName")) if name else None
        body = source.body if source else self.engine.stack(self._get_param("StackName")).body
        return ActionResult({"TemplateBody": body, "StagesAvailable": ["Original", "Processed"]})

    def delete_stack(self) -> ActionResult:
        if not is_ignored():
            self.engine.delete_stack(self._get_param("StackName"), self._get_param("ClientRequestToken"))
        return EmptyResult()

    def update_termination_protection(self) -> ActionResult:
        stack = self.engine.stack(self._get_param("StackName"))
        if not is_ignored():
            stack.is_protected = bool(self._get_bool_param("EnableTerminationProtection", False))
        return ActionResult({"StackId": stack.stack_id})

    def list_exports(self) -> ActionResult:
        return ActionResult(
            {"Exports": [{"Name": name, "Value": value} for name, value in self.engine.exports().items()]}
        )


def _page(items: list[Any], token: str | None, size: int) -> tuple[list[Any], str | None]:
    start = int(token or 0)
    end = start + size
    return items[start:end], str(end) if end < len(items) else None
