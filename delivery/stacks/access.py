"""Who is let in further than before: by IAM policies, by resource policies and by security groups."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from delivery.plan import Access
from delivery.stacks.access_text import as_list, describe_access, name_carrier, text_of

# Where a resource type keeps a policy document, whatever its name.
DOCUMENTS = ("PolicyDocument", "AssumeRolePolicyDocument", "KeyPolicy", "ResourcePolicy", "RepositoryPolicyText")
EVERY_PORT = "every port"


@dataclass(frozen=True)
class Grant:
    """What one statement or rule lets somebody do, in its own terms, a template's functions as `${Name}`.

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
        for who in _parties(statement):
            for what in _named(statement, "Action"):
                for on in _named(statement, "Resource"):
                    yield Grant(what=what, on=on, who=who, under=under, is_denial=is_denial)


def _named(statement: Mapping[str, Any], element: str) -> list[str]:
    """Each of a statement's actions or resources; one text for all that it leaves out, where it names only that."""
    if left_out := statement.get(f"Not{element}"):
        return [f"anything but {', '.join(text_of(item) for item in as_list(left_out))}"]
    return [text_of(item) for item in as_list(statement.get(element, ""))]


def _parties(statement: Mapping[str, Any]) -> list[str]:
    if left_out := statement.get("NotPrincipal"):
        return [f"everybody but {', '.join(_principals(left_out))}"]
    return _principals(statement.get("Principal", ""))


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
) -> tuple[Access, ...]:
    """Each access that resources newly give; each of them as logical id, properties before and after."""
    return tuple(
        access
        for name, before, after in changes
        for access in describe_grants(name, name_carrier(name, after), widened(before, after))
    )


def describe_grants(logical_id: str, carrier: str, grants: Iterable[Grant]) -> tuple[Access, ...]:
    """All that one statement or rule lets do, together. carrier: whose it is, as the operator reads it."""
    together: dict[tuple[str, str, str, bool], list[str]] = {}
    for grant in sorted(grants, key=lambda item: (item.who, item.on, item.under, item.what)):
        together.setdefault((grant.who, grant.on, grant.under, grant.is_denial), []).append(grant.what)
    return tuple(
        Access(
            says=describe_access(carrier, whats, who, on, under, is_denial=is_denial),
            resource=logical_id,
            what=tuple(whats),
            who=who,
            on=on,
            under=json.loads(under) if under else {},
            is_denial_gone=is_denial,
        )
        for (who, on, under, is_denial), whats in together.items()
    )
