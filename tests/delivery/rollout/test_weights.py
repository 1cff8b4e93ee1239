import json
from typing import Any

import pytest

from delivery.errors import RolloutBroken, Unavailable
from delivery.rollout.manifests import HASH_LABEL, RolloutSpec, Route
from delivery.rollout.snapshot import Weights
from delivery.rollout.weights import (
    ListenerRule,
    TargetGroups,
    WeightSource,
    find_target_groups,
    find_target_groups_by_hash,
    is_load_balancer_behind,
    read_annotation,
    read_weight_sources,
    weight_of,
    why_not_weight,
)
from tests.delivery.rollout.objects import AT_20, CANARY, STABLE

ROLLOUT_SPEC = RolloutSpec(
    namespace="demo",
    rollout="backend",
    stable_service="backend-stable",
    canary_service="backend-canary",
    ingress="front",
    action="alb.ingress.kubernetes.io/actions.backend",
    routes=(Route("api.demo", "/api"), Route("demo", "/ws")),
    steps=(AT_20,),
)
TARGET_GROUPS = TargetGroups(stable=frozenset({"arn:stable"}), canary=frozenset({"arn:canary"}))


def rule(host: str, path: str, canary: int) -> ListenerRule:
    return ListenerRule(
        f"{host}{path}", (host,), (path, f"{path}/*"), {"arn:stable": 100 - canary, "arn:canary": canary}
    )


def action(canary: int) -> str:
    """The annotation as the Rollouts controller writes it."""
    groups = [
        {"ServiceName": "backend-canary", "ServicePort": "80", "Weight": canary},
        {"ServiceName": "backend-stable", "ServicePort": "80", "Weight": 100 - canary},
    ]
    return json.dumps({"Type": "forward", "ForwardConfig": {"TargetGroups": groups}})


def why_not_20(*, written: int = 20, annotated: int = 20, rules: tuple[ListenerRule, ...] | None = None) -> str | None:
    ingress = {"metadata": {"annotations": {ROLLOUT_SPEC.action: action(annotated)}}}
    every = (rule("api.demo", "/api", 20), rule("demo", "/ws", 20)) if rules is None else rules
    weights = Weights(written, CANARY, 100 - written, STABLE)
    return why_not_weight(read_weight_sources(ROLLOUT_SPEC, weights, ingress, every, TARGET_GROUPS), 20)


def test_weight_sources_that_agree_confirm_the_weight() -> None:
    assert why_not_20() is None


@pytest.mark.parametrize(
    ("differing", "sentence"),
    [
        ({"written": 40}, "the Rollout's status has weight 40 %"),
        ({"annotated": 40}, "the annotation of Ingress front has weight 40 %"),
        ({"rules": (rule("api.demo", "/api", 20), rule("demo", "/ws", 40))}, "listener rule demo/ws has weight 40 %"),
        ({"rules": (rule("api.demo", "/api", 20),)}, "no listener rule for demo/ws"),
    ],
)
def test_the_weight_source_that_differs_is_named(differing, sentence) -> None:
    assert why_not_20(**differing) == f"wanted 20 %, but {sentence}"


def test_without_an_annotation_the_weight_is_not_confirmed() -> None:
    weight_sources = read_weight_sources(ROLLOUT_SPEC, None, {"metadata": {}}, (), TARGET_GROUPS)
    assert [weight_source.weight_percent for weight_source in weight_sources] == [None, None, None, None]


def test_a_rule_of_the_frontend_is_not_a_weight_source() -> None:
    frontend = ListenerRule("frontend", ("demo",), ("/*",), {"arn:frontend": 1})
    assert why_not_20(rules=(rule("api.demo", "/api", 20), rule("demo", "/ws", 20), frontend)) is None


def test_a_rule_that_forwards_to_one_revision_gives_it_all_traffic() -> None:
    assert weight_of(ListenerRule("", (), (), {"arn:canary": 1}), TARGET_GROUPS) == 100
    assert weight_of(ListenerRule("", (), (), {"arn:stable": 1}), TARGET_GROUPS) == 0


def test_weights_are_relative() -> None:
    assert weight_of(ListenerRule("", (), (), {"arn:stable": 4, "arn:canary": 1}), TARGET_GROUPS) == 20


def test_an_action_is_read_with_keys_in_camel_case_too() -> None:
    groups = [{"serviceName": "backend-canary", "servicePort": 80, "weight": 20}, {"serviceName": "x", "weight": 80}]
    assert (
        read_annotation(json.dumps({"type": "forward", "forwardConfig": {"targetGroups": groups}}), ROLLOUT_SPEC) == 20
    )


def test_an_annotation_that_is_not_an_action_breaks_the_rollout() -> None:
    with pytest.raises(RolloutBroken, match="is not a weighted action"):
        read_annotation("{}", ROLLOUT_SPEC)


def test_the_target_groups_are_those_bound_to_the_two_services() -> None:
    bindings = [
        {"spec": {"serviceRef": {"name": "backend-canary", "port": 80}, "targetGroupARN": "arn:canary"}},
        {"spec": {"serviceRef": {"name": "backend-stable", "port": 80}, "targetGroupARN": "arn:stable"}},
        {"spec": {"serviceRef": {"name": "frontend", "port": 80}, "targetGroupARN": "arn:frontend"}},
    ]
    assert find_target_groups(ROLLOUT_SPEC, bindings) == TARGET_GROUPS


BINDINGS = [
    {"spec": {"serviceRef": {"name": "backend-canary", "port": 80}, "targetGroupARN": "arn:canary"}},
    {"spec": {"serviceRef": {"name": "backend-stable", "port": 80}, "targetGroupARN": "arn:stable"}},
    {"spec": {"serviceRef": {"name": "frontend", "port": 80}, "targetGroupARN": "arn:frontend"}},
]


def service(name: str, selected: str | None) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"selector": {HASH_LABEL: selected} if selected else {"app": "x"}}}


def test_the_target_groups_of_a_revision_are_those_of_the_service_that_selects_it_now() -> None:
    services = [service("backend-stable", STABLE), service("backend-canary", CANARY)]
    assert find_target_groups_by_hash(BINDINGS, services, STABLE, CANARY) == TARGET_GROUPS
    swapped = [service("backend-stable", CANARY), service("backend-canary", STABLE)]
    assert find_target_groups_by_hash(BINDINGS, swapped, STABLE, CANARY) == TargetGroups(
        stable=TARGET_GROUPS.canary, canary=TARGET_GROUPS.stable
    )


@pytest.mark.parametrize(
    ("selected", "description"),
    [(STABLE, STABLE), ("5d4f", "5d4f"), (None, "all revisions")],
    ids=["stable", "other", "none"],
)
def test_a_service_that_selects_an_unexpected_revision_is_named_and_not_counted(
    selected: str | None, description: str
) -> None:
    services = [service("backend-stable", STABLE), service("backend-canary", selected)]
    with pytest.raises(Unavailable, match=f"unknown which revision .*, Service backend-canary selects {description};"):
        find_target_groups_by_hash(BINDINGS, services, STABLE, CANARY)


@pytest.mark.parametrize(("ingress", "rule", "is_behind"), [(0, 30, True), (0, None, True), (30, 30, False)])
def test_a_load_balancer_is_behind_if_a_rule_differs_from_the_ingress(
    ingress: float, rule: float | None, is_behind: bool
) -> None:
    weight_sources = (
        WeightSource("the Rollout's status", 0),
        WeightSource("the annotation", ingress),
        WeightSource("listener rule 1", rule),
    )
    assert is_load_balancer_behind(weight_sources) is is_behind
