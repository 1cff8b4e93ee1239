"""Evaluates the intrinsic functions of a template for one stack."""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.aws.cloudformation.model.errors import ValidationError

# CloudFormation's text for a value that a change set cannot know yet.
KNOWN_AFTER_APPLY = "{{changeSet:KNOWN_AFTER_APPLY}}"
NO_VALUE = object()
VARIABLE = re.compile(r"\$\{(!?)([^}]+)\}")
ZONES = "abcdef"


@dataclass(frozen=True)
class Evaluator:
    """reference, attribute: return the value of a Ref and of a GetAtt. exports: the exports of all stacks, by name."""

    template: dict[str, Any]
    reference: Callable[[str], Any]
    attribute: Callable[[str, str], Any]
    exports: Callable[[], dict[str, str]]
    region: str

    def evaluate(self, node: Any) -> Any:
        if isinstance(node, list):
            return [value for value in map(self.evaluate, node) if value is not NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            (name, argument), *_ = node.items()
            # Condition is an object in a policy document, and a name as a condition function.
            if name in FUNCTIONS and not (name == "Condition" and isinstance(argument, dict)):
                return FUNCTIONS[name](self, argument)
        values = {key: self.evaluate(value) for key, value in node.items()}
        return {key: value for key, value in values.items() if value is not NO_VALUE}

    def is_true(self, condition: str) -> bool:
        """Whether a condition of the template is true."""
        if condition not in self.template.get("Conditions", {}):
            raise ValidationError(f"Template error: unresolved condition dependency {condition}")
        return bool(self.evaluate(self.template["Conditions"][condition]))

    def ref(self, name: str) -> Any:
        return NO_VALUE if name == "AWS::NoValue" else self.reference(name)

    def get_att(self, argument: Any) -> Any:
        name, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        return self.attribute(name, self.evaluate(attribute))

    def sub(self, argument: Any) -> str:
        text, given = (argument, {}) if isinstance(argument, str) else argument

        def value(found: re.Match[str]) -> str:
            is_literal, name = found.groups()
            if is_literal:
                return f"${{{name}}}"
            if name in given:
                return _text(self.evaluate(given[name]))
            return _text(self.get_att(name) if "." in name else self.ref(name))

        return VARIABLE.sub(value, text)

    def join(self, argument: Any) -> str:
        separator, parts = argument
        return separator.join(map(_text, self.evaluate(parts)))

    def split(self, argument: Any) -> Any:
        separator, text = argument
        whole = self.evaluate(text)
        return whole if whole == KNOWN_AFTER_APPLY else whole.split(separator)

    def select(self, argument: Any) -> Any:
        index, values = self.evaluate(argument)
        if values == KNOWN_AFTER_APPLY:
            return KNOWN_AFTER_APPLY
        if int(index) >= len(values):
            raise ValidationError(f"Template error: Fn::Select cannot select nonexistent value at index {index}")
        return values[int(index)]

    def find_in_map(self, argument: Any) -> Any:
        name, first, second = self.evaluate(argument)
        try:
            return self.template["Mappings"][name][first][second]
        except KeyError as missing:
            raise ValidationError(f"Template error: Unable to get mapping for {name}::{first}::{second}") from missing

    def choose(self, argument: Any) -> Any:
        condition, yes, no = argument
        return self.evaluate(yes if self.is_true(condition) else no)

    def import_value(self, argument: Any) -> Any:
        name = self.evaluate(argument)
        if name not in self.exports():
            raise ValidationError(f"No export named {name} found.")
        return self.exports()[name]

    def equals(self, argument: Any) -> bool:
        first, second = self.evaluate(argument)
        return _text(first) == _text(second)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


FUNCTIONS: dict[str, Callable[[Evaluator, Any], Any]] = {
    "Ref": Evaluator.ref,
    "Fn::GetAtt": Evaluator.get_att,
    "Fn::Sub": Evaluator.sub,
    "Fn::Join": Evaluator.join,
    "Fn::Split": Evaluator.split,
    "Fn::Select": Evaluator.select,
    "Fn::FindInMap": Evaluator.find_in_map,
    "Fn::If": Evaluator.choose,
    "Fn::ImportValue": Evaluator.import_value,
    "Fn::Equals": Evaluator.equals,
    "Fn::Not": lambda self, argument: not self.evaluate(argument[0]),
    "Fn::And": lambda self, argument: all(map(self.evaluate, argument)),
    "Fn::Or": lambda self, argument: any(map(self.evaluate, argument)),
    "Condition": lambda self, argument: self.is_true(argument),
    "Fn::GetAZs": lambda self, argument: [f"{self.evaluate(argument) or self.region}{zone}" for zone in ZONES],
    "Fn::Base64": lambda self, argument: base64.b64encode(_text(self.evaluate(argument)).encode()).decode(),
    "Fn::ToJsonString": lambda self, argument: json.dumps(self.evaluate(argument)),
}
