"""The operations of CloudFormation on stacks and change sets, without the protocol."""

import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from sandbox.aws.cloud import Cloud
from sandbox.aws.cloudformation import change_sets
from sandbox.aws.cloudformation.execution.deletion import delete_resources
from sandbox.aws.cloudformation.execution.execution import Execution
from sandbox.aws.cloudformation.execution.worker import Worker
from sandbox.aws.cloudformation.model.errors import ChangeSetNotFound, InvalidChangeSetStatus, ValidationError
from sandbox.aws.cloudformation.model.records import ChangeSet, Stack
from sandbox.aws.cloudformation.model.resource_type import ResourceType
from sandbox.aws.cloudformation.templates.scope import Scope
from sandbox.aws.faults.faults import Faults


@dataclass
class Engine:
    """The stacks of one account and region. Each execution and each deletion has its own thread."""

    cloud: Cloud
    types: dict[str, ResourceType]
    faults: Faults
    stacks: list[Stack] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def find(self, name_or_id: str) -> Stack | None:
        """An ID also finds a deleted stack. A name finds only a stack that exists."""
        for stack in reversed(self.stacks):
            if stack.stack_id == name_or_id or (stack.name == name_or_id and stack.status != "DELETE_COMPLETE"):
                return stack
        return None

    def stack(self, name_or_id: str) -> Stack:
        stack = self.find(name_or_id)
        if stack is None:
            raise ValidationError(f"Stack with id {name_or_id} does not exist")
        return stack

    def change_set(self, name_or_id: str, stack_name: str | None) -> ChangeSet:
        """Find by ARN, or by name in a stack. ChangeSetNotFound if there is none."""
        scopes = [self.stack(stack_name)] if stack_name else self.stacks
        for stack in scopes:
            for change_set in stack.change_sets.values():
                is_named = stack_name is not None and change_set.name == name_or_id
                if change_set.change_set_id == name_or_id or is_named:
                    return change_set
        raise ChangeSetNotFound(f"ChangeSet [{name_or_id}] does not exist")

    def create_change_set(self, request: change_sets.Request) -> ChangeSet:
        with self.lock:
            return change_sets.create(self, request)

    def execute_change_set(self, name_or_id: str, stack_name: str | None, token: str | None) -> None:
        """Start the execution. A repeated request with the same token changes nothing."""
        with self.lock:
            change_set = self.change_set(name_or_id, stack_name)
            stack = self.stack(change_set.stack_id)
            if token is not None and token == change_set.execution_token:
                return
            _check_executable(change_set)
            change_set.execution_token, change_set.execution_status = token, "EXECUTE_IN_PROGRESS"
            for other in stack.change_sets.values():
                if other is not change_set and other.execution_status == "AVAILABLE":
                    other.execution_status = "OBSOLETE"
            stack.change_set_id, stack.capabilities = change_set.change_set_id, change_set.capabilities
            stack.move(f"{change_set.type}_IN_PROGRESS", token, "User Initiated")
            scope = self.scope(stack, change_set.values)
            execution = Execution(stack, change_set, self.worker(stack, token), scope)
        threading.Thread(target=execution.run, name=f"execute {stack.name}", daemon=True).start()

    def delete_stack(self, name_or_id: str, token: str | None) -> None:
        with self.lock:
            stack = self.find(name_or_id)
            if stack is None or stack.status == "DELETE_COMPLETE":
                return
            if stack.is_protected:
                raise ValidationError(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
            if stack.is_busy and stack.status != "DELETE_IN_PROGRESS":
                raise ValidationError(f"Stack [{stack.stack_id}] cannot be deleted while in status {stack.status}")
            if stack.status == "DELETE_IN_PROGRESS":
                return
            stack.move("DELETE_IN_PROGRESS", token, "User Initiated")
        worker = self.worker(stack, token)
        threading.Thread(target=delete_resources, args=(stack, worker), daemon=True).start()

    def delete_change_set(self, name_or_id: str, stack_name: str | None) -> None:
        with self.lock:
            try:
                change_set = self.change_set(name_or_id, stack_name)
            except ChangeSetNotFound:
                return
            if change_set.execution_status == "EXECUTE_IN_PROGRESS":
                raise InvalidChangeSetStatus(
                    f"ChangeSet [{change_set.change_set_id}] cannot be deleted in its current status"
                )
            del self.stack(change_set.stack_id).change_sets[change_set.change_set_id]

    def new_stack(self, name: str, token: str | None) -> Stack:
        stack_id = self.cloud.arn("cloudformation", f"stack/{name}/{uuid.uuid4()}")
        stack = Stack(stack_id, name, "REVIEW_IN_PROGRESS")
        stack.move("REVIEW_IN_PROGRESS", token, "User Initiated")
        self.stacks.append(stack)
        return stack

    def exports(self) -> dict[str, str]:
        living = [stack for stack in self.stacks if stack.status != "DELETE_COMPLETE"]
        outputs = [output for stack in living for output in stack.outputs if "ExportName" in output]
        return {output["ExportName"]: output["OutputValue"] for output in outputs}

    def scope(self, stack: Stack, values: dict[str, Any]) -> Scope:
        cloud = self.cloud
        return Scope(stack.stack_id, stack.name, cloud.account_id, cloud.region, values, stack.resources, self.exports)

    def worker(self, stack: Stack, token: str | None) -> Worker:
        return Worker(self.cloud, self.types, self.faults, stack, token)


def _check_executable(change_set: ChangeSet) -> None:
    status = change_sets.status_of(change_set, time.monotonic())
    if status != "CREATE_COMPLETE":
        raise InvalidChangeSetStatus(
            f"ChangeSet [{change_set.change_set_id}] cannot be executed in its current status of [{status}]"
        )
    if change_set.execution_status != "AVAILABLE":
        raise InvalidChangeSetStatus(
            f"ChangeSet [{change_set.change_set_id}] cannot be executed in its current execution status of "
            f"[{change_set.execution_status}]"
        )
