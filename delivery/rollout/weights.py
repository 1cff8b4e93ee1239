"""The canary's share of the traffic, as three witnesses tell it: the Rollout, the Ingress and the load balancer.

The controller writes the first two; only the listener rules are where the traffic goes.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from delivery.errors import RolloutBroken, Unavailable
from delivery.rollout.manifests import HASH_LABEL, RolloutSpec, Route
from delivery.rollout.snapshot import Weights


@dataclass(frozen=True)
class ListenerRule:
    """A rule that forwards. name: for the operator. weights: relative, by target group ARN."""

    name: str
    hosts: tuple[str, ...]
    paths: tuple[str, ...]
    weights: Mapping[str, int]


@dataclass(frozen=True)
class Arms:
    """The target groups of the two arms, by ARN."""

    stable: frozenset[str]
    canary: frozenset[str]


@dataclass(frozen=True)
class WeightSource:
    """What one source says of the canary's share. percent: None where it says nothing."""

    source: str
    percent: float | None


def find_arms(rollout_spec: RolloutSpec, bindings: Iterable[Mapping[str, Any]]) -> Arms:
    """bindings: the TargetGroupBindings of the system's namespace; a Service has one for each Ingress that names it."""
    found: dict[str, set[str]] = {rollout_spec.stable_service: set(), rollout_spec.canary_service: set()}
    for binding in bindings:
        service = binding["spec"]["serviceRef"]["name"]
        if service in found:
            found[service].add(binding["spec"]["targetGroupARN"])
    return Arms(frozenset(found[rollout_spec.stable_service]), frozenset(found[rollout_spec.canary_service]))


def find_arms_by_hash(
    bindings: Iterable[Mapping[str, Any]], services: Iterable[Mapping[str, Any]], stable_hash: str, canary_hash: str
) -> Arms:
    """What counts the requests of each revision: the target groups of the Services that select its hash now.

    A Service is no revision: after an abort the canary's goes to and fro between both. Raises Unavailable where one of
    them selects neither, or none selects a revision: then nobody can tell whose requests a target group counts.
    """
    selected = {found["metadata"]["name"]: (found["spec"].get("selector") or {}).get(HASH_LABEL) for found in services}
    if set(selected.values()) != {stable_hash, canary_hash}:
        says = ", ".join(f"Service {name} selects {found or 'every revision'}" for name, found in selected.items())
        raise Unavailable(
            f"It cannot be told which revision was counted: {says}; stable is {stable_hash}, new is {canary_hash}."
        )
    groups = [
        (selected.get(found["spec"]["serviceRef"]["name"]), found["spec"]["targetGroupARN"]) for found in bindings
    ]
    stable, canary = (
        frozenset(arn for owner, arn in groups if owner == sought) for sought in (stable_hash, canary_hash)
    )
    return Arms(stable, canary)


def read_hostname(ingress: Mapping[str, Any]) -> str | None:
    """DNS name of the load balancer that an Ingress has; None while it has none."""
    addresses = ingress.get("status", {}).get("loadBalancer", {}).get("ingress") or ()
    return addresses[0].get("hostname") if addresses else None


def why_not_weight(weight_sources: Sequence[WeightSource], percent: int) -> str | None:
    """None when every witness says this share; else the sentence that names each which says another one."""
    differing = [
        describe_weight_source(weight_source) for weight_source in weight_sources if weight_source.percent != percent
    ]
    return f"wanted {percent} %, but {'; '.join(differing)}" if differing else None


def read_weight_sources(
    rollout_spec: RolloutSpec,
    written: Weights | None,
    ingress: Mapping[str, Any],
    rules: Iterable[ListenerRule],
    arms: Arms,
) -> tuple[WeightSource, ...]:
    """The Rollout's status, the Ingress, then each rule that forwards to either Service, and each route without one."""
    annotation = ingress["metadata"].get("annotations", {}).get(rollout_spec.action)
    ours = [rule for rule in rules if rule.weights.keys() & (arms.stable | arms.canary)]
    return (
        WeightSource("the Rollout's status", written.canary_weight_percent if written else None),
        WeightSource(
            f"the annotation of Ingress {rollout_spec.ingress}",
            read_annotation(annotation, rollout_spec) if annotation else None,
        ),
        *(WeightSource(f"listener rule {rule.name}", share_of(rule, arms)) for rule in ours),
        *(_missing(route) for route in rollout_spec.routes if not any(_serves(rule, route) for rule in ours)),
    )


def is_not_followed(weight_sources: Sequence[WeightSource]) -> bool:
    """Whether a listener rule states another weight than the Ingress."""
    _, ingress, *rules = weight_sources
    return any(rule.percent != ingress.percent for rule in rules)


def read_annotation(text: str, rollout_spec: RolloutSpec) -> float | None:
    """The canary's share in the action; None where the canary's Service is not among its target groups.

    The Rollout's controller writes capital keys and the port as a string, others lower-case ones and a number.
    """
    try:
        action = _lower_keys(json.loads(text))
        groups = action["forwardconfig"]["targetgroups"]
        weights = {group["servicename"]: group["weight"] for group in groups}
    except (ValueError, KeyError, TypeError) as error:
        raise RolloutBroken(
            f"Ingress {rollout_spec.ingress}: {rollout_spec.action} is no weighted action: {text!r}."
        ) from error
    return _share(weights, {rollout_spec.canary_service})


def share_of(rule: ListenerRule, arms: Arms) -> float | None:
    """The canary's share of what the rule forwards, in percent; None where the rule has no weight above 0."""
    return _share(rule.weights, arms.canary)


def _share(weights: Mapping[str, int], canary: Iterable[str]) -> float | None:
    total = sum(weights.values())
    ours = sum(weights.get(name, 0) for name in canary)
    return round(100 * ours / total, 2) if total else None


def _missing(route: Route) -> WeightSource:
    return WeightSource(f"the listener rule for {route.host}{route.path}, which is missing,", None)


def _serves(rule: ListenerRule, route: Route) -> bool:
    """Whether the rule is the one for the host and path; a rule without hosts takes every host."""
    is_host = route.host in rule.hosts or not rule.hosts
    return is_host and (route.path in rule.paths or f"{route.path.rstrip('/')}/*" in rule.paths or not rule.paths)


def _lower_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {key.lower(): _lower_keys(item) for key, item in value.items()}
    return [_lower_keys(item) for item in value] if isinstance(value, list) else value


def describe_weight_source(weight_source: WeightSource) -> str:
    return (
        f"{weight_source.source} says {'nothing' if weight_source.percent is None else f'{weight_source.percent:g} %'}"
    )
