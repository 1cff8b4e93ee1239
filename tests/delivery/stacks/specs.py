"""Stacks, their states and changes, for tests of plans."""

import json

from delivery.plan import PartPlan
from delivery.stacks.assembly import StackSpec
from delivery.stacks.planning import plan_stacks
from delivery.stacks.state import ObservedStack, PropertyChange, ResourceChange, StackState

NAME = "genai-demo-production-rds"


def spec(
    stack_id: str = "RDS", *needs: str, types: tuple[str, ...] = ("AWS::EC2::VPC",), **fields: object
) -> StackSpec:
    template = json.dumps({"Resources": {f"R{number}": {"Type": kind} for number, kind in enumerate(types)}})
    return StackSpec.model_validate({"id": stack_id, "name": NAME, "template": template, "depends_on": needs, **fields})


def state(status: str = "UPDATE_COMPLETE", **fields: object) -> StackState:
    return StackState.model_validate({"arn": "arn:stack", "name": NAME, "status": status, **fields})


def modified(
    kind: str = "AWS::RDS::DBInstance", path: str = "BackupRetentionPeriod", replacement: str = "False"
) -> ResourceChange:
    return ResourceChange(
        logical_id="Database",
        type=kind,
        action="Modify",
        replacement=replacement,
        properties=(PropertyChange(path=path, before="14", after="30"),),
    )


def removed(kind: str) -> ResourceChange:
    return ResourceChange(logical_id="Old", type=kind, action="Remove")


def plan_one(stack: StackSpec, found: ObservedStack) -> PartPlan:
    return plan_stacks([stack], {stack.id: found})


def plan_changes(*changes: ResourceChange) -> PartPlan:
    return plan_one(spec(), ObservedStack(id="RDS", state=state(), changes=changes, is_changed=True))
