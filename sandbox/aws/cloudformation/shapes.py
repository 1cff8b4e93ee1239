"""Converts records to the response shapes of CloudFormation."""

import json
from typing import Any

from sandbox.aws.cloudformation.change_sets import NO_CHANGES
from sandbox.aws.cloudformation.model.records import Change, ChangeSet, Event, PropertyChange, Resource, Stack

Shape = dict[str, Any]


def _tags(tags: dict[str, str]) -> list[Shape]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _parameters(parameters: dict[str, str], values: dict[str, Any]) -> list[Shape]:
    shapes = []
    for name, given in parameters.items():
        value = values.get(name, given)
        shape = {"ParameterKey": name, "ParameterValue": given}
        if value != given and isinstance(value, str):
            shape["ResolvedValue"] = value
        shapes.append(shape)
    return shapes


def stack(item: Stack) -> Shape:
    return {
        "StackId": item.stack_id,
        "StackName": item.name,
        "ChangeSetId": item.change_set_id,
        "Description": item.template.get("Description"),
        "Parameters": _parameters(item.parameters, item.values),
        "CreationTime": item.created,
        "LastUpdatedTime": item.updated,
        "DeletionTime": item.deleted,
        "DisableRollback": False,
        "StackStatus": item.status,
        "StackStatusReason": item.status_reason,
        "Capabilities": item.capabilities,
        "Outputs": item.outputs or None,
        "Tags": _tags(item.tags),
        "EnableTerminationProtection": item.is_protected,
        "NotificationARNs": [],
    }


def stack_summary(item: Stack) -> Shape:
    names = (
        "StackId",
        "StackName",
        "CreationTime",
        "LastUpdatedTime",
        "DeletionTime",
        "StackStatus",
        "StackStatusReason",
    )
    shape = stack(item)
    return {**{name: shape[name] for name in names}, "TemplateDescription": shape["Description"]}


def event(owner: Stack, item: Event) -> Shape:
    return {
        "StackId": owner.stack_id,
        "StackName": owner.name,
        "EventId": item.event_id,
        "LogicalResourceId": item.logical_id,
        "PhysicalResourceId": item.physical_id,
        "ResourceType": item.type,
        "Timestamp": item.timestamp,
        "ResourceStatus": item.status,
        "ResourceStatusReason": item.reason,
        "ResourceProperties": item.properties,
        "ClientRequestToken": item.token,
    }


def resource(item: Resource) -> Shape:
    return {
        "LogicalResourceId": item.logical_id,
        "PhysicalResourceId": item.physical_id,
        "ResourceType": item.type,
        "LastUpdatedTimestamp": item.updated,
        "ResourceStatus": item.status,
        "ResourceStatusReason": item.status_reason,
    }


def resource_of(owner: Stack, item: Resource) -> Shape:
    return {**resource(item), "StackId": owner.stack_id, "StackName": owner.name, "Timestamp": item.updated}


def change_set_summary(item: ChangeSet, status: str) -> Shape:
    return {
        "ChangeSetId": item.change_set_id,
        "ChangeSetName": item.name,
        "StackId": item.stack_id,
        "StackName": item.stack_name,
        "Description": item.description,
        "CreationTime": item.created,
        "Status": status,
        "StatusReason": NO_CHANGES if status == "FAILED" else None,
        "ExecutionStatus": item.execution_status if status == "CREATE_COMPLETE" else "UNAVAILABLE",
    }


def change_set(item: ChangeSet, status: str, with_values: bool) -> Shape:
    """with_values: include all properties before and after the change, as for IncludePropertyValues."""
    is_planned = status == "CREATE_COMPLETE"
    return {
        **change_set_summary(item, status),
        "Parameters": _parameters(item.parameters, item.values),
        "Capabilities": item.capabilities,
        "Tags": _tags(item.tags),
        "NotificationARNs": [],
        "Changes": [{"Type": "Resource", "ResourceChange": _change(one, with_values)} for one in item.changes]
        if is_planned
        else [],
    }


def _change(item: Change, with_values: bool) -> Shape:
    shape = {
        "Action": item.action,
        "LogicalResourceId": item.logical_id,
        "PhysicalResourceId": item.physical_id,
        "ResourceType": item.type,
        "Replacement": item.replacement,
        "PolicyAction": item.policy_action,
        "Scope": sorted({"Tags" if one.name == "Tags" else "Properties" for one in item.details}),
        "Details": [_detail(one, with_values) for one in item.details],
    }
    if with_values:
        contexts = {"BeforeContext": item.before, "AfterContext": item.after}
        shape |= {name: json.dumps({"Properties": value}) for name, value in contexts.items() if value is not None}
    return shape


def _detail(item: PropertyChange, with_values: bool) -> Shape:
    target = {
        "Attribute": "Tags" if item.name == "Tags" else "Properties",
        "Name": None if item.name == "Tags" else item.name,
        "RequiresRecreation": item.recreates,
        "Path": item.path,
        "AttributeChangeType": "Add" if item.before is None else "Remove" if item.after is None else "Modify",
    }
    if with_values:
        target |= {"BeforeValue": _value(item.before), "AfterValue": _value(item.after)}
    is_dynamic = item.source in ("ResourceReference", "ResourceAttribute")
    return {
        "Target": target,
        "Evaluation": "Dynamic" if is_dynamic else "Static",
        "ChangeSource": item.source,
        "CausingEntity": item.causing_entity,
    }


def _value(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)
