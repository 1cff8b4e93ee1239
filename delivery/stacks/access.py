"""The access that a change of a stack newly grants: by IAM policies, resource policies and security groups."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from delivery.plan import Access
from delivery.stacks.access_text import as_list, describe_access, name_carrier, text_of

# The properties of resource types that contain a policy document.
DOCUMENTS = ("PolicyDocument", "AssumeRolePolicyDocument", "KeyPolicy", "ResourcePolicy", "RepositoryPolicyText")
ALL_PORTS = "all ports"


@dataclass(frozen=True)
class Grant:
    """One action of one IAM statement, or one rule of a security group. References of a template are `${Name}`.

    what: an IAM action, or the ports of a rule. on: a resource, or the security group. who: a principal or a source;
    empty in an identity-based policy. under: the conditions, as JSON.
    """

    what: str
    on: str = ""
    who: str = ""
    under: str = ""
    is_denial: bool = False


def find_new_grants(before: Mapping[str, Any], after: Mapping[str, Any]) -> frozenset[Grant]:
    """What a resource with the properties `after` allows, or no longer denies, in contrast to `before`."""
    old, new = frozenset(grants_of(before)), frozenset(grants_of(after))
    allowed = {grant for grant in new - old if not grant.is_denial}
    return frozenset(allowed | {grant for grant in old - new if grant.is_denial})


def grants_of(properties: Mapping[str, Any]) -> Iterator[Grant]:
    """Each grant in the properties of a resource, including its inline policies."""
    for name, value in properties.items():
        if name in DOCUMENTS and isinstance(value, dict):
            yield from _statements(value)
        elif name == "ManagedPolicyArns":
            yield from (Grant(what=text_of(arn)) for arn in value)
        elif name == "SecurityGroupIngress":
            yield from (_rule(rule) for rule in value)
        elif name == "PublicAccessCidrs":
            yield from (Grant(what=ALL_PORTS, who=text_of(network)) for network in value)
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
    """Each action or resource of a statement; one text for NotAction or NotResource. element: Action or Resource."""
    if excluded := statement.get(f"Not{element}"):
        return [f"all {element.lower()}s except {', '.join(text_of(item) for item in as_list(excluded))}"]
    return [text_of(item) for item in as_list(statement.get(element, ""))]


def _parties(statement: Mapping[str, Any]) -> list[str]:
    if excluded := statement.get("NotPrincipal"):
        return [f"everyone except {', '.join(_principals(excluded))}"]
    return _principals(statement.get("Principal", ""))


def _principals(principal: Any) -> list[str]:
    if isinstance(principal, dict):
        return [text_of(item) for values in principal.values() for item in as_list(values)]
    return [text_of(principal)]


def _rule(rule: Mapping[str, Any]) -> Grant:
    sources = ("CidrIp", "CidrIpv6", "SourceSecurityGroupId", "SourcePrefixListId", "SourceSecurityGroupName")
    who = next((text_of(rule[name]) for name in sources if name in rule), "")
    first, last = rule.get("FromPort"), rule.get("ToPort")
    ports = ALL_PORTS if first is None else f"port {first}" if first == last else f"ports {first} to {last}"
    return Grant(what=ports, on=text_of(rule.get("GroupId", "")), who=who)


def list_new_access(
    changes: Iterable[tuple[str, Mapping[str, Any], Mapping[str, Any]]],
) -> tuple[Access, ...]:
    """Each access that resources newly grant. changes: logical id, properties before and after of each resource."""
    return tuple(
        access
        for name, before, after in changes
        for access in group_grants(name, name_carrier(name, after), find_new_grants(before, after))
    )


def group_grants(logical_id: str, carrier: str, grants: Iterable[Grant]) -> tuple[Access, ...]:
    """One access for all grants that differ only in action or port. carrier: as for `describe_access`."""
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
