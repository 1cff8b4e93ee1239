"""Creates change sets: checks the request, computes the changes, and sets the time when they can be read."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sandbox.aws.cloudformation.changes import plan_changes
from sandbox.aws.cloudformation.model.errors import AlreadyExists, ValidationError
from sandbox.aws.cloudformation.model.records import ChangeSet, Stack
from sandbox.aws.cloudformation.templates.parameters import given_parameters, resolved_values
from sandbox.aws.cloudformation.templates.template import check_capabilities, parse_template

if TYPE_CHECKING:
    from sandbox.aws.cloudformation.engine import Engine

AWS_TIME_TO_PLAN = timedelta(seconds=20)
NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."
UPDATABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE")


@dataclass(frozen=True)
class Request:
    """A CreateChangeSet request. `body` is None to use the deployed template again."""

    stack_name: str
    name: str
    type: str
    body: str | None
    parameters: list[dict[str, Any]]
    tags: dict[str, str]
    capabilities: list[str]
    description: str | None = None
    client_token: str | None = None


def create(engine: Engine, request: Request) -> ChangeSet:
    """The new change set, or the earlier one of the same name and token."""
    stack = engine.find(request.stack_name)
    earlier = _earlier_change_set(stack, request)
    if earlier is not None:
        return earlier
    _check_stack(stack, request)
    return _plan(engine, stack, request)


def _plan(engine: Engine, stack: Stack | None, request: Request) -> ChangeSet:
    """Compute the changes. If the stack does not exist, it is created in review after all checks."""
    body = request.body if request.body is not None else (stack.body if stack else "")
    template = parse_template(body, set(engine.types))
    check_capabilities(template, request.capabilities)
    parameters = given_parameters(template, request.parameters, stack.parameters if stack else {})
    values = resolved_values(template, parameters, lambda names: _read_ssm_parameters(engine, names))
    if stack is None:
        stack = engine.new_stack(request.stack_name, request.client_token)
    change_set = _change_set(engine, stack, request, body)
    change_set.template, change_set.parameters, change_set.values = template, parameters, values
    change_set.changes = plan_changes(template, engine.scope(stack, values), stack.resources)
    change_set.has_changes = bool(change_set.changes) or _differs_outside_resources(stack, change_set)
    stack.change_sets[change_set.change_set_id] = change_set
    return change_set


def _change_set(engine: Engine, stack: Stack, request: Request, body: str) -> ChangeSet:
    """The record of the request, without its changes."""
    return ChangeSet(
        change_set_id=engine.cloud.arn("cloudformation", f"changeSet/{request.name}/{uuid.uuid4()}"),
        name=request.name,
        type=request.type,
        stack_id=stack.stack_id,
        stack_name=stack.name,
        tags=request.tags or stack.tags,
        capabilities=request.capabilities,
        description=request.description,
        client_token=request.client_token,
        ready_at=time.monotonic() + engine.cloud.shortened(AWS_TIME_TO_PLAN),
        body=body,
    )


def status_of(change_set: ChangeSet, at: float) -> str:
    """CREATE_IN_PROGRESS until the change set is ready. at: monotonic seconds."""
    if at < change_set.ready_at:
        return "CREATE_IN_PROGRESS"
    return "CREATE_COMPLETE" if change_set.has_changes else "FAILED"


def _earlier_change_set(stack: Stack | None, request: Request) -> ChangeSet | None:
    named = [known for known in (stack.change_sets.values() if stack else ()) if known.name == request.name]
    if not named:
        return None
    if request.client_token and named[0].client_token == request.client_token:
        return named[0]
    raise AlreadyExists(f"ChangeSet {request.name} cannot be created due to a mismatch with existing attribute Name")


def _check_stack(stack: Stack | None, request: Request) -> None:
    if request.type == "UPDATE":
        if stack is None:
            raise ValidationError(f"Stack [{request.stack_name}] does not exist")
        if stack.status not in UPDATABLE:
            raise ValidationError(f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated.")
    elif stack is not None and stack.status != "REVIEW_IN_PROGRESS":
        raise ValidationError(
            f"Stack [{stack.name}] already exists and cannot be created again with the changeSet [{request.name}]."
        )


def _differs_outside_resources(stack: Stack, change_set: ChangeSet) -> bool:
    """Whether tags or outputs differ, which is an update without a resource change."""
    is_retagged = change_set.tags != stack.tags
    return is_retagged or change_set.template.get("Outputs", {}) != stack.template.get("Outputs", {})


def _read_ssm_parameters(engine: Engine, names: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for start in range(0, len(names), 10):
        answer = engine.cloud.client("ssm").get_parameters(Names=names[start : start + 10])
        found |= {item["Name"]: item["Value"] for item in answer["Parameters"]}
    return found
