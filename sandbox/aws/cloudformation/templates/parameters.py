"""Template parameters: given, previous and default values, and values from the SSM parameter store."""

from collections.abc import Callable
from typing import Any

from sandbox.aws.cloudformation.model.errors import ValidationError

SSM = "AWS::SSM::Parameter::Value"


def given_parameters(template: dict[str, Any], given: list[dict[str, Any]], previous: dict[str, str]) -> dict[str, str]:
    """The parameters of a request, completed with previous values and defaults. ValidationError if one is wrong."""
    declared = template.get("Parameters", {})
    unknown = sorted(item["ParameterKey"] for item in given if item["ParameterKey"] not in declared)
    if unknown:
        raise ValidationError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    values = {name: str(slot["Default"]) for name, slot in declared.items() if "Default" in slot}
    for item in given:
        name = item["ParameterKey"]
        if item.get("UsePreviousValue") and name in previous:
            values[name] = previous[name]
        elif "ParameterValue" in item:
            values[name] = item["ParameterValue"]
    missing = [name for name in declared if name not in values]
    if missing:
        raise ValidationError(f"Parameters: [{', '.join(missing)}] must have values")
    _check_allowed(declared, values)
    return values


def _check_allowed(declared: dict[str, Any], values: dict[str, str]) -> None:
    for name, slot in declared.items():
        allowed = slot.get("AllowedValues")
        if allowed and values[name] not in map(str, allowed):
            raise ValidationError(f"Parameter '{name}' must be one of AllowedValues")


def resolved_values(
    template: dict[str, Any], parameters: dict[str, str], read_stored: Callable[[list[str]], dict[str, str]]
) -> dict[str, Any]:
    """The value of a Ref to each parameter.

    read_stored: reads SSM parameters by name. Its result does not contain names that do not exist.
    """
    declared = template.get("Parameters", {})
    from_store = {name: parameters[name] for name, slot in declared.items() if slot["Type"].startswith(SSM)}
    found = read_stored(sorted(set(from_store.values()))) if from_store else {}
    missing = sorted({name for name in from_store.values() if name not in found})
    if missing:
        raise ValidationError(
            f"Unable to fetch parameters [{','.join(missing)}] from parameter store for this account."
        )
    return {
        name: _typed(slot["Type"], found[parameters[name]] if name in from_store else parameters[name])
        for name, slot in declared.items()
    }


def _typed(kind: str, value: str) -> Any:
    is_list = kind == "CommaDelimitedList" or "List<" in kind
    return [part.strip() for part in value.split(",")] if is_list else value
