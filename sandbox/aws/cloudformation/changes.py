"""The changes of a change set: compares the deployed resources with a new template, property by property."""

import graphlib
import json
from collections.abc import Callable
from typing import Any

from sandbox.aws.cloudformation.model.records import Change, Properties, PropertyChange, Resource
from sandbox.aws.cloudformation.templates.intrinsics import KNOWN_AFTER_APPLY
from sandbox.aws.cloudformation.templates.schemas import create_only
from sandbox.aws.cloudformation.templates.scope import Scope, active_resources
from sandbox.aws.cloudformation.templates.template import dependencies, references


def plan_changes(template: dict[str, Any], scope: Scope, deployed: dict[str, Resource]) -> list[Change]:
    """Additions, modifications and removals, in the order of their execution.

    scope: has the new parameter values. Added, replaced and changed resources are recorded in it.
    """
    evaluator = scope.evaluator(template)
    active = set(active_resources(template, evaluator))
    order = [name for name in graphlib.TopologicalSorter(dependencies(template)).static_order() if name in active]
    changes = []
    for name in order:
        resource = template["Resources"][name]
        if name not in deployed:
            scope.unknown.add(name)
            after = evaluator.evaluate(resource.get("Properties", {}))
            changes.append(Change("Add", name, resource["Type"], after=after))
            continue
        change = _modification(name, resource, evaluator.evaluate, deployed[name])
        if change is not None:
            changes.append(change)
            (scope.unknown if change.replacement == "True" else scope.changing).add(name)
    return changes + [_removal(resource) for name, resource in deployed.items() if name not in active]


def _removal(resource: Resource) -> Change:
    policy = "Retain" if resource.is_kept else "Snapshot" if resource.deletion_policy == "Snapshot" else "Delete"
    return Change("Remove", resource.logical_id, resource.type, resource.physical_id, policy_action=policy)


def _modification(
    name: str, resource: dict[str, Any], evaluate: Callable[[Any], Any], deployed: Resource
) -> Change | None:
    after = evaluate(resource.get("Properties", {}))
    is_retyped = resource["Type"] != deployed.type
    details = _details(resource, deployed, after)
    if not details and not is_retyped:
        return None
    is_certain = is_retyped or any(detail.recreates == "Always" for detail in details)
    is_possible = any(detail.recreates == "Conditionally" for detail in details)
    replacement = "True" if is_certain else "Conditional" if is_possible else "False"
    return Change(
        "Modify", name, resource["Type"], deployed.physical_id, replacement, details, deployed.properties, after
    )


def _details(resource: dict[str, Any], deployed: Resource, after: Properties) -> tuple[PropertyChange, ...]:
    fixed = create_only(deployed.type)
    written = resource.get("Properties", {})
    names = sorted(key for key in {*deployed.properties, *after} if deployed.properties.get(key) != after.get(key))
    return tuple(_detail(key, written.get(key), deployed.properties.get(key), after.get(key), fixed) for key in names)


def _detail(name: str, written: Any, before: Any, after: Any, fixed: tuple[tuple[str, ...], ...]) -> PropertyChange:
    recreates = "Never"
    if any(_differs_at(path[1:], before, after) for path in fixed if path[0] == name):
        recreates = "Conditionally" if KNOWN_AFTER_APPLY in json.dumps(after) else "Always"
    mentioned = sorted(references({"Properties": {name: written}}))
    source = "DirectModification"
    if KNOWN_AFTER_APPLY in json.dumps(after):
        source = "ResourceAttribute" if "Fn::GetAtt" in json.dumps(written) else "ResourceReference"
    elif mentioned and isinstance(written, dict) and "Ref" in written:
        source = "ParameterReference"
    cause = mentioned[0] if source != "DirectModification" and mentioned else None
    return PropertyChange(name, f"/Properties/{name}", before, after, recreates, source, cause)


def _differs_at(path: tuple[str, ...], before: Any, after: Any) -> bool:
    """Whether the values at a path of the schema differ. `*` means each item of a list."""
    if not path or path[0] == "*" or not isinstance(before, dict) or not isinstance(after, dict):
        return before != after
    return _differs_at(path[1:], before.get(path[0]), after.get(path[0]))
