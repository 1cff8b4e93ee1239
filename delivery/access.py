"""Who is let in further than before: by IAM policies, by resource policies and by security groups."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# Where a resource type keeps a policy document, whatever its name.
DOCUMENTS = ("PolicyDocument", "AssumeRolePolicyDocument", "KeyPolicy", "ResourcePolicy", "RepositoryPolicyText")
SHOWN_ACTIONS = 3
EVERY_PORT = "every port"


@dataclass(frozen=True)
class Grant:
    """What one statement or rule lets somebody do.

    what: an IAM action, or the ports of a rule. on: a resource, or the group. who: a principal or a source; empty where
    it is whoever carries the policy. under: the conditions, as JSON.
    """

    what: str
    on: str = ""
    who: str = ""
    under: str = ""
    is_denial: bool = False


def widened(before: Mapping[str, Any], after: Mapping[str, Any]) -> frozenset[Grant]:
    """What the properties after allow, or no longer deny, and those before did not."""
    old, new = frozenset(grants_of(before)), frozenset(grants_of(after))
    allowed = {grant for grant in new - old if not grant.is_denial}
    return frozenset(allowed | {grant for grant in old - new if grant.is_denial})


def grants_of(properties: Mapping[str, Any]) -> Iterator[Grant]:
    """Every grant in a resource's properties, those of inline policies as well."""
    for name, value in properties.items():
        if name in DOCUMENTS and isinstance(value, dict):
            yield from _statements(value)
        elif name == "ManagedPolicyArns":
            yield from (Grant(what=text_of(arn)) for arn in value)
        elif name == "SecurityGroupIngress":
            yield from (_rule(rule) for rule in value)
        elif name == "PublicAccessCidrs":
            yield from (Grant(what=EVERY_PORT, who=text_of(network)) for network in value)
        elif isinstance(value, dict):
            yield from grants_of(value)
        elif isinstance(value, list):
            yield from (grant for item in value if isinstance(item, dict) for grant in grants_of(item))
    if "GroupId" in properties and ("FromPort" in properties or "IpProtocol" in properties):
        yield _rule(properties)


def _statements(document: Mapping[str, Any]) -> Iterator[Grant]:
    for statement in as_list(document.get("Statement", [])):
        under = json.dumps(statement["Condition"], sort_keys=True) if "Condition" in statement else ""
        is_denial = statement.get("Effect") == "Deny"
        whats = [text_of(item) for item in as_list(statement.get("Action", statement.get("NotAction", [])))]
        ons = [text_of(item) for item in as_list(statement.get("Resource", ""))]
        for who in _principals(statement.get("Principal", "")):
            for what in whats:
                yield from (Grant(what=what, on=on, who=who, under=under, is_denial=is_denial) for on in ons)


def _principals(principal: Any) -> list[str]:
    if isinstance(principal, dict):
        return [text_of(item) for values in principal.values() for item in as_list(values)]
    return [text_of(principal)]


def _rule(rule: Mapping[str, Any]) -> Grant:
    sources = ("CidrIp", "CidrIpv6", "SourceSecurityGroupId", "SourcePrefixListId", "SourceSecurityGroupName")
    who = next((text_of(rule[name]) for name in sources if name in rule), "")
    first, last = rule.get("FromPort"), rule.get("ToPort")
    ports = EVERY_PORT if first is None else f"port {first}" if first == last else f"ports {first} to {last}"
    return Grant(what=ports, on=text_of(rule.get("GroupId", "")), who=who)


def describe_widening(
    changes: Iterable[tuple[str, Mapping[str, Any], Mapping[str, Any]]],
) -> tuple[str, ...]:
    """A line for each access that resources newly give; each of them as logical id, properties before and after."""
    return tuple(line for name, before, after in changes for line in describe_grants(name, widened(before, after)))


def describe_grants(logical_id: str, grants: Iterable[Grant]) -> tuple[str, ...]:
    """A line for all that one statement or rule lets do: `AppRole: may sqs:SendMessage on ${Queue.Arn}`."""
    together: dict[tuple[str, str, str, bool], list[str]] = {}
    for grant in sorted(grants, key=lambda item: (item.who, item.on, item.under, item.what)):
        together.setdefault((grant.who, grant.on, grant.under, grant.is_denial), []).append(grant.what)
    return tuple(f"{logical_id}: {_sentence(whats, *rest)}" for rest, whats in together.items())


def _sentence(whats: list[str], who: str, on: str, under: str, is_denial: bool) -> str:
    more = len(whats) - SHOWN_ACTIONS
    shown = ", ".join(whats[:SHOWN_ACTIONS]) + (f" and {more} more" if more > 0 else "")
    verb = "no longer denied" if is_denial else "may"
    said = f"{who} {verb} {shown}".strip() if who else f"{verb} {shown}"
    return said + (f" on {on}" if on else "") + (f" where {under}" if under else "")


def text_of(value: Any) -> str:
    """A value for one line, with a template's functions as `${Name}`."""
    if not isinstance(value, dict) or len(value) != 1:
        return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    ((name, argument),) = value.items()
    if name == "Ref":
        return f"${{{argument}}}"
    if name == "Fn::GetAtt":
        return f"${{{'.'.join(as_list(argument))}}}"
    if name == "Fn::Join":
        return argument[0].join(text_of(part) for part in argument[1])
    return json.dumps(value, sort_keys=True)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
