"""Executes a change set: applies the resources in order, then removes the old ones, or rolls back."""

import copy
from dataclasses import dataclass, field
from typing import Any

from sandbox.aws.cloudformation.execution.rollback import roll_back
from sandbox.aws.cloudformation.execution.scheduling import run_in_order
from sandbox.aws.cloudformation.execution.worker import ResourceFailed, Worker
from sandbox.aws.cloudformation.model.records import ChangeSet, Resource, Stack, now
from sandbox.aws.cloudformation.templates.outputs import evaluated_outputs
from sandbox.aws.cloudformation.templates.schemas import create_only
from sandbox.aws.cloudformation.templates.scope import Scope, active_resources
from sandbox.aws.cloudformation.templates.template import dependencies


@dataclass
class Execution:
    """The execution of one change set.

    before: the resources of the stack before the execution. replaced: old resources whose replacements exist.
    """

    stack: Stack
    change_set: ChangeSet
    worker: Worker
    scope: Scope
    before: dict[str, Resource] = field(default_factory=dict)
    replaced: list[Resource] = field(default_factory=list)

    def run(self) -> None:
        """Bring the stack to its final status. Any failure ends in a rollback, never in an exception."""
        self.before = {name: copy.deepcopy(resource) for name, resource in self.stack.resources.items()}
        try:
            failed = self._apply()
            outputs = [] if failed else evaluated_outputs(self.change_set.template, self.scope)
        except Exception as error:
            self._fail(f"{error}")
            return
        if failed:
            kind = self.change_set.type.lower()
            self._fail(f"The following resource(s) failed to {kind}: [{', '.join(sorted(failed))}].")
            return
        self._complete(outputs)

    def _apply(self) -> list[str]:
        template = self.change_set.template
        evaluator = self.scope.evaluator(template)
        active = set(active_resources(template, evaluator))
        graph = {name: needs & active for name, needs in dependencies(template).items() if name in active}

        def work(name: str) -> None:
            definition = template["Resources"][name]
            self._bring_resource(name, definition, evaluator.evaluate(definition.get("Properties", {})))

        return run_in_order(graph, work, self.worker.cancelled.set)

    def _bring_resource(self, name: str, definition: dict[str, Any], properties: dict[str, Any]) -> None:
        deployed = self.before.get(name)
        if deployed is None:
            self.worker.create(name, definition, properties)
        elif deployed.type != definition["Type"] or _is_replacement(deployed, properties):
            self._replace(deployed, definition, properties)
        elif deployed.properties != properties:
            self.worker.update(self.stack.resources[name], properties)
        if name in self.stack.resources:
            self.stack.resources[name].deletion_policy = definition.get("DeletionPolicy", "Delete")

    def _replace(self, deployed: Resource, definition: dict[str, Any], properties: dict[str, Any]) -> None:
        naming = self.worker.types[definition["Type"]].name_property
        if naming in properties and properties[naming] == deployed.properties.get(naming):
            reason = (
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                f"Rename {properties[naming]} and update the stack again."
            )
            self.worker.record(deployed, "UPDATE_FAILED", reason)
            raise ResourceFailed(reason)
        self.worker.create(deployed.logical_id, definition, properties)
        self.replaced.append(deployed)

    def _complete(self, outputs: list[dict[str, Any]]) -> None:
        stack, change_set, token = self.stack, self.change_set, self.worker.token
        if change_set.type == "UPDATE":
            stack.move("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", token)
        self._remove_old_resources()
        stack.body, stack.template, stack.tags = change_set.body, change_set.template, change_set.tags
        stack.parameters, stack.values = change_set.parameters, change_set.values
        stack.outputs, stack.updated = outputs, now() if change_set.type == "UPDATE" else None
        change_set.execution_status = "EXECUTE_COMPLETE"
        stack.move(f"{change_set.type}_COMPLETE", token)

    def _remove_old_resources(self) -> None:
        """Remove old resources. As on AWS, a failure is only an event, and the resource is left."""
        active = set(active_resources(self.change_set.template, self.scope.evaluator(self.change_set.template)))
        removed = [self.stack.resources.pop(name) for name in list(self.stack.resources) if name not in active]
        for resource in [*self.replaced, *reversed(removed)]:
            try:
                self.worker.delete(resource, is_retained=resource.is_kept)
            except ResourceFailed:
                continue

    def _fail(self, reason: str) -> None:
        self.change_set.execution_status = "EXECUTE_FAILED"
        roll_back(self.stack, self.before, self.worker, self.change_set.type, reason)


def _is_replacement(deployed: Resource, properties: dict[str, Any]) -> bool:
    return any(_at(path, deployed.properties) != _at(path, properties) for path in create_only(deployed.type))


def _at(path: tuple[str, ...], value: Any) -> Any:
    for key in path:
        if key == "*" or not isinstance(value, dict):
            return value
        value = value.get(key)
    return value
