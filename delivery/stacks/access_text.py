"""Access as the operator reads it: who may do what, in a template's or a change set's terms made short.

What stands here is for reading; a plan keeps each statement in full beside it.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

SHOWN_ACTIONS = 3
ACCOUNT, REGION = "${AWS::AccountId}", "${AWS::Region}"
# The eight digits that the CDK puts behind a logical id.
CDK_SUFFIX = re.compile(r"(?<=.)[0-9A-F]{8}$")
REFERENCE = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.([A-Za-z0-9.]+))?\}")
ATTACHED = re.compile(r"arn:.+?:iam::aws:policy/(?:.*/)?(?P<name>[^/]+)$")
# Attributes that stand for the resource itself.
ITSELF = (None, "Arn", "GroupId", "Id")
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
EXTENT = {"ForAnyValue": "any of ", "ForAllValues": "every one of "}


def text_of(value: Any) -> str:
    """A value as one text, with a template's functions as `${Name}`; what else it holds as JSON."""
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
        text, given = (argument, {}) if isinstance(argument, str) else argument
        return re.sub(r"\$\{([^}]+)\}", lambda found: text_of(given.get(found[1], found[0])), text)
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
    for here in (f":{REGION}:{ACCOUNT}:", f"::{ACCOUNT}:"):
        text = text.replace(here, ":…:")
    text = text.replace(ACCOUNT, "(this account)").replace(REGION, "(this region)")
    return REFERENCE.sub(_name_reference, text)


def _name_reference(found: re.Match[str]) -> str:
    name = CDK_SUFFIX.sub("", found[1])
    return name if found[2] in ITSELF else f"{name}.{found[2]}"


def name_carrier(logical_id: str, properties: Mapping[str, Any]) -> str:
    """Who or what a resource's grants belong to: a policy's roles, else the resource."""
    carriers = [text_of(one) for kind in ("Roles", "Users", "Groups") for one in as_list(properties.get(kind, []))]
    return " and ".join(map(readable, carriers)) or readable(f"${{{logical_id}}}")


def describe_access(carrier: str, whats: list[str], who: str, on: str, under: str, *, is_denial: bool) -> str:
    """One sentence of all that one statement or rule lets do.

    carrier: what the statement stands at. who, on, under: as of a Grant; who is empty where the carrier is meant.
    """
    where = f" where {describe_conditions(json.loads(under))}" if under else ""
    attached = [found["name"] for what in whats if (found := ATTACHED.match(what))]
    if len(attached) == len(whats):
        return f"{carrier} has AWS's {'policy' if len(attached) == 1 else 'policies'} {', '.join(attached)}{where}"
    verb = "is no longer denied" if is_denial else "may"
    is_here = on in ("", "*") and bool(who)
    target = carrier if is_here else "everything" if on in ("", "*") else readable(on)
    subject = readable(who) if who else carrier
    if whats[0].startswith("sts:AssumeRole") and is_here:
        return f"{subject} {verb} take the role {carrier}{where}"
    if "port" in whats[0]:
        return f"{subject} {verb} reach {target} on {', '.join(whats)}{where}"
    return f"{subject} {verb} {describe_actions(whats)} on {target}{where}"


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
    extent, _, compared = operator.rpartition(":")
    bare = compared.removesuffix("IfExists")
    if bare == "Null":
        return f"{key} is {'not given' if values == ['true'] else 'given'}"
    either = " or ".join([", ".join(values[:-1]), values[-1]] if len(values) > 1 else values)
    if_given = f", if {key} is given" if bare != compared else ""
    return f"{EXTENT.get(extent, '')}{key} {COMPARED.get(bare, bare)} {either}{if_given}"
