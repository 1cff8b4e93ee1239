"""The weight of the canary, as its weight sources state it: the Rollout, the Ingress and the listener rules.

The Rollouts controller writes the first two. Only the listener rules decide where the traffic goes.
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
    """A rule that forwards. name: as messages show it. weights: target group ARN -> relative weight."""

    name: str
    hosts: tuple[str, ...]
    paths: tuple[str, ...]
    weights: Mapping[str, int]


@dataclass(frozen=True)
class TargetGroups:
    """The ARNs of the target groups of the stable revision and of the canary."""

    stable: frozenset[str]
    canary: frozenset[str]


@dataclass(frozen=True)
class WeightSource:
    """The weight of the canary in one place.

    weight_percent: None if the source has no weight. is_missing: whether it is a route without a listener rule.
    """

    source: str
    weight_percent: float | None
    is_missing: bool = False


def find_target_groups(rollout_spec: RolloutSpec, bindings: Iterable[Mapping[str, Any]]) -> TargetGroups:
    """The target groups of the stable and the canary Service.

    bindings: the TargetGroupBindings of the namespace. A Service has one for each Ingress that refers to it.
    """
    groups: dict[str, set[str]] = {rollout_spec.stable_service: set(), rollout_spec.canary_service: set()}
    for binding in bindings:
        service = binding["spec"]["serviceRef"]["name"]
        if service in groups:
            groups[service].add(binding["spec"]["targetGroupARN"])
    return TargetGroups(frozenset(groups[rollout_spec.stable_service]), frozenset(groups[rollout_spec.canary_service]))


def find_target_groups_by_hash(
    bindings: Iterable[Mapping[str, Any]], services: Iterable[Mapping[str, Any]], stable_hash: str, canary_hash: str
) -> TargetGroups:
    """The target groups that count the requests of each revision: those of the Service that selects its hash now.

    The canary Service does not always select the canary: after an abort, the controller switches it between both
    revisions. Raises Unavailable if the Services do not select exactly these two revisions, because the target groups
    then do not show which revision got the requests.
    """
    selected = {item["metadata"]["name"]: (item["spec"].get("selector") or {}).get(HASH_LABEL) for item in services}
    if set(selected.values()) != {stable_hash, canary_hash}:
        raise Unavailable(_describe_selectors(selected, stable_hash, canary_hash))
    groups = [(selected.get(item["spec"]["serviceRef"]["name"]), item["spec"]["targetGroupARN"]) for item in bindings]
    stable, canary = (
        frozenset(arn for selected_hash, arn in groups if selected_hash == wanted_hash)
        for wanted_hash in (stable_hash, canary_hash)
    )
    return TargetGroups(stable, canary)


def _describe_selectors(selected: Mapping[str, str | None], stable_hash: str, canary_hash: str) -> str:
    selectors = ", ".join(
        f"Service {name} selects {pod_hash or 'all revisions'}" for name, pod_hash in selected.items()
    )
    return (
        f"It is unknown which revision got the counted requests: {selectors}; the stable revision is {stable_hash}, "
        f"the canary is {canary_hash}."
    )


def read_hostname(ingress: Mapping[str, Any]) -> str | None:
    """The DNS name of the Ingress's load balancer. None if it has none yet."""
    addresses = ingress.get("status", {}).get("loadBalancer", {}).get("ingress") or ()
    return addresses[0].get("hostname") if addresses else None


def why_not_weight(weight_sources: Sequence[WeightSource], weight_percent: int) -> str | None:
    """The weight sources that have another weight, as a clause. None if all of them have this weight."""
    differing = describe_differing(weight_sources, weight_percent)
    return f"wanted {weight_percent} %, but {differing}" if differing else None


def describe_differing(weight_sources: Iterable[WeightSource], weight_percent: int) -> str | None:
    """Each weight source that has another weight, with its weight. None if all of them have this weight."""
    differing = (source for source in weight_sources if source.weight_percent != weight_percent)
    return "; ".join(map(describe_weight_source, differing)) or None


def read_weight_sources(
    rollout_spec: RolloutSpec,
    weights: Weights | None,
    ingress: Mapping[str, Any],
    rules: Iterable[ListenerRule],
    target_groups: TargetGroups,
) -> tuple[WeightSource, ...]:
    """The Rollout's status, the Ingress, each rule that forwards to either Service, and each route without a rule."""
    annotation = ingress["metadata"].get("annotations", {}).get(rollout_spec.action)
    used = [rule for rule in rules if rule.weights.keys() & (target_groups.stable | target_groups.canary)]
    return (
        WeightSource("the Rollout's status", weights.canary_weight_percent if weights else None),
        WeightSource(
            f"the annotation of Ingress {rollout_spec.ingress}",
            read_annotation(annotation, rollout_spec) if annotation else None,
        ),
        *(WeightSource(f"listener rule {rule.name}", weight_of(rule, target_groups)) for rule in used),
        *(_missing(route) for route in rollout_spec.routes if not any(_is_for_route(rule, route) for rule in used)),
    )


def is_load_balancer_behind(weight_sources: Sequence[WeightSource]) -> bool:
    """Whether a listener rule states another weight than the Ingress."""
    _, ingress, *rules = weight_sources
    return any(rule.weight_percent != ingress.weight_percent for rule in rules)


def read_annotation(text: str, rollout_spec: RolloutSpec) -> float | None:
    """The canary's weight in the action, in percent. None if the action has no weight above 0.

    The Rollouts controller writes keys in Pascal case, other writers use camel case.
    """
    try:
        action = _lower_keys(json.loads(text))
        groups = action["forwardconfig"]["targetgroups"]
        weights = {group["servicename"]: group["weight"] for group in groups}
    except (ValueError, KeyError, TypeError) as error:
        raise RolloutBroken(
            f"Ingress {rollout_spec.ingress}: {rollout_spec.action} is not a weighted action: {text!r}."
        ) from error
    return _weight_percent(weights, {rollout_spec.canary_service})


def weight_of(rule: ListenerRule, target_groups: TargetGroups) -> float | None:
    """The canary's weight in the rule, in percent. None if the rule has no weight above 0."""
    return _weight_percent(rule.weights, target_groups.canary)


def _weight_percent(weights: Mapping[str, int], canary: Iterable[str]) -> float | None:
    total = sum(weights.values())
    canary_weight = sum(weights.get(name, 0) for name in canary)
    return round(100 * canary_weight / total, 2) if total else None


def _missing(route: Route) -> WeightSource:
    return WeightSource(f"no listener rule for {route.host}{route.path}", None, is_missing=True)


def _is_for_route(rule: ListenerRule, route: Route) -> bool:
    """Whether the rule matches the host and the path. A rule without hosts matches every host."""
    is_host = route.host in rule.hosts or not rule.hosts
    return is_host and (route.path in rule.paths or f"{route.path.rstrip('/')}/*" in rule.paths or not rule.paths)


def _lower_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {key.lower(): _lower_keys(item) for key, item in value.items()}
    return [_lower_keys(item) for item in value] if isinstance(value, list) else value


def describe_weight_source(weight_source: WeightSource) -> str:
    """`listener rule with priority 1 on port 443 (/api) has weight 20 %`."""
    weight = weight_source.weight_percent
    if weight_source.is_missing:
        return weight_source.source
    return f"{weight_source.source} has {'no weight' if weight is None else f'weight {weight:g} %'}"
