"""Access in sentences: who may use which action on which resource, in short.

The data of a plan also contains each statement in full.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

SHOWN_ACTIONS = 3
ACCOUNT, REGION = "${AWS::AccountId}", "${AWS::Region}"
# The eight hexadecimal digits that the CDK appends to a logical id.
CDK_SUFFIX = re.compile(r"(?<=.)[0-9A-F]{8}$")
REFERENCE = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.([A-Za-z0-9.]+))?\}")
AWS_MANAGED = re.compile(r"arn:.+?:iam::aws:policy/(?:.*/)?(?P<name>[^/]+)$")
# Attributes whose value identifies the resource.
IDENTIFYING = (None, "Arn", "GroupId", "Id")
COMPARED = {
    "StringEquals": "is",
    "StringEqualsIgnoreCase": "is",
    "StringNotEquals": "is not",
    "StringLike": "is like",
    "StringNotLike": "is not like",
    "ArnEquals": "is",
    "ArnNotEquals": "is not",
    "ArnLike": "is like",
    "ArnNotLike": "is not like",
    "Bool": "is",
    "IpAddress": "is in",
    "NotIpAddress": "is not in",
}
QUANTIFIERS = {"ForAnyValue": "any value of ", "ForAllValues": "each value of "}
PORTS = ("port ", "ports ", "all ports")


def text_of(value: Any) -> str:
    """A value of a template as one text, with references as `${Name}` and other objects as JSON."""
    if not isinstance(value, dict) or len(value) != 1:
        return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    ((name, argument),) = value.items()
    if name == "Ref":
        return f"${{{argument}}}"
    if name == "Fn::GetAtt":
        return f"${{{'.'.join(as_list(argument))}}}"
    if name == "Fn::Join":
        return text_of(argument[0]).join(text_of(part) for part in argument[1])
    if name == "Fn::Sub":
        text, values = (argument, {}) if isinstance(argument, str) else argument
        return re.sub(r"\$\{([^}]+)\}", lambda found: text_of(values.get(found[1], found[0])), text)
    return json.dumps(value, sort_keys=True)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def readable(text: str) -> str:
    """`WorkloadGroup` for `${WorkloadGroupDA0A067E.GroupId}`, `arn:aws:kafka:…:topic/x`, `this account`."""
    text = text.replace("${AWS::Partition}", "aws")
    if text in (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root"):
        return "this account"
    if text == REGION:
        return "this region"
    for part_of_arn in (f":{REGION}:{ACCOUNT}:", f"::{ACCOUNT}:"):
        text = text.replace(part_of_arn, ":…:")
    text = text.replace(ACCOUNT, "(this account)").replace(REGION, "(this region)")
    return REFERENCE.sub(_name_reference, text)


def _name_reference(found: re.Match[str]) -> str:
    name = CDK_SUFFIX.sub("", found[1])
    return name if found[2] in IDENTIFYING else f"{name}.{found[2]}"


def name_carrier(logical_id: str, properties: Mapping[str, Any]) -> str:
    """The name of what has the grants: the roles, users and groups of a policy, otherwise the resource."""
    carriers = [text_of(one) for kind in ("Roles", "Users", "Groups") for one in as_list(properties.get(kind, []))]
    return " and ".join(map(readable, carriers)) or readable(f"${{{logical_id}}}")


def describe_access(carrier: str, whats: list[str], who: str, on: str, under: str, *, is_denial: bool) -> str:
    """One sentence about grants that differ only in action or port.

    carrier: the name of the role or the resource that has the statement or rule. who, on, under: as of a Grant.
    """
    condition = f" if {describe_conditions(json.loads(under))}" if under else ""
    managed = [found["name"] for what in whats if (found := AWS_MANAGED.match(what))]
    if len(managed) == len(whats):
        return f"{carrier} gets the AWS managed {'policy' if len(managed) == 1 else 'policies'} {', '.join(managed)}"
    is_carrier = on in ("", "*") and bool(who)
    target = carrier if is_carrier else "all resources" if on in ("", "*") else readable(on)
    subject = readable(who) if who else carrier
    if is_denial:
        return f"{subject} is no longer denied {describe_actions(whats)} on {target}{condition}"
    if whats[0].startswith("sts:AssumeRole") and is_carrier:
        return f"{subject} may assume the role {carrier}{condition}"
    if whats[0].startswith(PORTS):
        return f"{subject} may connect to {target} on {', '.join(whats)}"
    return f"{subject} may use {describe_actions(whats)} on {target}{condition}"


def describe_actions(whats: list[str]) -> str:
    more = len(whats) - SHOWN_ACTIONS
    return ", ".join(whats[:SHOWN_ACTIONS]) + (f" and {more} more" if more > 0 else "")


def describe_conditions(conditions: Mapping[str, Mapping[str, Any]]) -> str:
    """`aws:SourceAccount is this account and kms:ViaService is like *.amazonaws.com`."""
    return " and ".join(
        _describe_condition(operator, key, value)
        for operator, keys in conditions.items()
        for key, value in keys.items()
    )


def _describe_condition(operator: str, key: str, value: Any) -> str:
    values = [readable(text_of(one)) for one in as_list(value)]
    quantifier, _, comparison = operator.rpartition(":")
    base = comparison.removesuffix("IfExists")
    if base == "Null":
        return f"{key} is {'absent' if values == ['true'] else 'present'}"
    either = " or ".join([", ".join(values[:-1]), values[-1]] if len(values) > 1 else values)
    if_present = " (if present)" if base != comparison else ""
    return f"{QUANTIFIERS.get(quantifier, '')}{key}{if_present} {COMPARED.get(base, base)} {either}"
