"""Deploys stacks and waits for them."""

import json
import time
from collections.abc import Callable
from typing import Any

from sandbox.testing import eventually

Template = dict[str, Any]


def queues(*names: str, **properties: Any) -> Template:
    """A template with a queue for each name, and an output of the first queue."""
    resources = {
        f"Queue{index}": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name, **properties}}
        for index, name in enumerate(names)
    }
    return {"Resources": resources, "Outputs": {"Url": {"Value": {"Ref": "Queue0"}}}}


def one(kind: str, properties: dict[str, Any], *attributes: str) -> dict[str, Any]:
    """A template with one resource, and its Ref and the attributes as outputs."""
    values = {"Ref": {"Value": {"Ref": "It"}}}
    values |= {name.replace(".", ""): {"Value": {"Fn::GetAtt": ["It", name]}} for name in attributes}
    return {"Resources": {"It": {"Type": kind, "Properties": properties}}, "Outputs": values}


def outputs(stack: dict[str, Any]) -> dict[str, str]:
    assert stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def planned(client: Any, stack: str, template: Template | str, kind: str = "CREATE", **wanted: Any) -> dict[str, Any]:
    """Create a change set and describe it when it is no longer in progress."""
    body = template if isinstance(template, str) else json.dumps(template)
    made = client.create_change_set(
        StackName=stack, ChangeSetType=kind, TemplateBody=body, **{"ChangeSetName": f"c{time.monotonic_ns()}", **wanted}
    )

    def described() -> dict[str, Any] | None:
        answer = client.describe_change_set(ChangeSetName=made["Id"], IncludePropertyValues=True)
        return None if answer["Status"].endswith("_IN_PROGRESS") else answer

    return eventually(described)


def finished(client: Any, stack: str) -> dict[str, Any]:
    """The stack when no operation is in progress."""

    def found() -> dict[str, Any] | None:
        description = client.describe_stacks(StackName=stack)["Stacks"][0]
        return None if description["StackStatus"].endswith("_IN_PROGRESS") else description

    return eventually(found)


def deployed(client: Any, stack: str, template: Template, kind: str = "CREATE", **wanted: Any) -> dict[str, Any]:
    """Deploy the template and return the stack."""
    plan = planned(client, stack, template, kind, **wanted)
    client.execute_change_set(ChangeSetName=plan["ChangeSetId"])
    return finished(client, stack)


def events(client: Any, stack: str) -> list[dict[str, Any]]:
    """All events, oldest first."""
    pages = client.get_paginator("describe_stack_events").paginate(StackName=stack)
    return [event for page in pages for event in page["StackEvents"]][::-1]


def error_code(call: Callable[[], Any]) -> str:
    """The code of the error that the call raises."""
    try:
        call()
    except Exception as error:
        return error.response["Error"]["Code"]  # pyright: ignore[reportAttributeAccessIssue]
    raise AssertionError("the call succeeded")
