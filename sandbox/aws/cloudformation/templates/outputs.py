"""The outputs and exports of a stack, in the form of DescribeStacks."""

from typing import Any

from sandbox.aws.cloudformation.templates.scope import Scope


def evaluated_outputs(template: dict[str, Any], scope: Scope) -> list[dict[str, Any]]:
    evaluator = scope.evaluator(template)
    outputs = []
    for key, definition in (template.get("Outputs") or {}).items():
        if "Condition" in definition and not evaluator.is_true(definition["Condition"]):
            continue
        output = {"OutputKey": key, "OutputValue": str(evaluator.evaluate(definition["Value"]))}
        if "Description" in definition:
            output["Description"] = definition["Description"]
        if "Export" in definition:
            output["ExportName"] = evaluator.evaluate(definition["Export"]["Name"])
        outputs.append(output)
    return outputs
