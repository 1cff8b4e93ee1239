import json
from typing import Any

import pytest

from delivery.errors import RolloutBroken, Unavailable
from delivery.rollout.manifests import HASH_LABEL, RolloutSpec, Route
from delivery.rollout.snapshot import Weights
from delivery.rollout.weights import (
    Arms,
    ListenerRule,
    WeightSource,
    find_arms,
    find_arms_by_hash,
    is_not_followed,
    read_annotation,
    read_weight_sources,
    share_of,
    why_not_weight,
)
from tests.delivery.rollout.objects import AT_20, CANARY, STABLE

SYSTEM = RolloutSpec(
    namespace="demo",
    rollout="backend",
    stable_service="backend-stable",
    canary_service="backend-canary",
    ingress="front",
    action="alb.ingress.kubernetes.io/actions.backend",
    service_port=80,
    routes=(Route("api.demo", "/api"), Route("demo", "/ws")),
    steps=(AT_20,),
)
ARMS = Arms(stable=frozenset({"arn:stable"}), canary=frozenset({"arn:canary"}))


def rule(host: str, path: str, canary: int) -> ListenerRule:
    return ListenerRule(
        f"{host}{path}", (host,), (path, f"{path}/*"), {"arn:stable": 100 - canary, "arn:canary": canary}
    )


def action(canary: int) -> str:
    """As the Rollout's controller writes it."""
    groups = [
        {"ServiceName": "backend-canary", "ServicePort": "80", "Weight": canary},
        {"ServiceName": "backend-stable", "ServicePort": "80", "Weight": 100 - canary},
    ]
    return json.dumps({"Type": "forward", "ForwardConfig": {"TargetGroups": groups}})


def objection(*, written: int = 20, annotated: int = 20, rules: tuple[ListenerRule, ...] | None = None) -> str | None:
    ingress = {"metadata": {"annotations": {SYSTEM.action: action(annotated)}}}
    every = (rule("api.demo", "/api", 20), rule("demo", "/ws", 20)) if rules is None else rules
    weights = Weights(written, CANARY, 100 - written, STABLE)
    return why_not_weight(read_weight_sources(SYSTEM, weights, ingress, every, ARMS), 20)


def test_three_witnesses_that_agree_confirm_the_weight() -> None:
    assert objection() is None


@pytest.mark.parametrize(
    ("differing", "sentence"),
    [
        ({"written": 40}, "the Rollout's status says 40 %"),
        ({"annotated": 40}, "the annotation of Ingress front says 40 %"),
        ({"rules": (rule("api.demo", "/api", 20), rule("demo", "/ws", 40))}, "listener rule demo/ws says 40 %"),
        ({"rules": (rule("api.demo", "/api", 20),)}, "the listener rule for demo/ws, which is missing, says nothing"),
    ],
)
def test_the_witness_that_differs_is_named(differing, sentence) -> None:
    assert objection(**differing) == f"wanted 20 %, but {sentence}"


def test_without_an_annotation_the_weight_is_not_confirmed() -> None:
    weight_sources = read_weight_sources(SYSTEM, None, {"metadata": {}}, (), ARMS)
    assert [weight_source.percent for weight_source in weight_sources] == [None, None, None, None]


def test_a_rule_of_the_frontend_is_no_witness() -> None:
    frontend = ListenerRule("frontend", ("demo",), ("/*",), {"arn:frontend": 1})
    assert objection(rules=(rule("api.demo", "/api", 20), rule("demo", "/ws", 20), frontend)) is None


def test_a_rule_that_forwards_to_one_arm_gives_it_everything() -> None:
    assert share_of(ListenerRule("", (), (), {"arn:canary": 1}), ARMS) == 100
    assert share_of(ListenerRule("", (), (), {"arn:stable": 1}), ARMS) == 0


def test_weights_are_relative() -> None:
    assert share_of(ListenerRule("", (), (), {"arn:stable": 4, "arn:canary": 1}), ARMS) == 20


def test_an_action_is_read_whatever_its_keys_look_like() -> None:
    groups = [{"serviceName": "backend-canary", "servicePort": 80, "weight": 20}, {"serviceName": "x", "weight": 80}]
    assert read_annotation(json.dumps({"type": "forward", "forwardConfig": {"targetGroups": groups}}), SYSTEM) == 20


def test_an_annotation_that_is_no_action_stops_the_rollout() -> None:
    with pytest.raises(RolloutBroken, match="is no weighted action"):
        read_annotation("{}", SYSTEM)


def test_the_arms_are_the_target_groups_bound_to_the_two_services() -> None:
    bindings = [
        {"spec": {"serviceRef": {"name": "backend-canary", "port": 80}, "targetGroupARN": "arn:canary"}},
        {"spec": {"serviceRef": {"name": "backend-stable", "port": 80}, "targetGroupARN": "arn:stable"}},
        {"spec": {"serviceRef": {"name": "frontend", "port": 80}, "targetGroupARN": "arn:frontend"}},
    ]
    assert find_arms(SYSTEM, bindings) == ARMS


BINDINGS = [
    {"spec": {"serviceRef": {"name": "backend-canary", "port": 80}, "targetGroupARN": "arn:canary"}},
    {"spec": {"serviceRef": {"name": "backend-stable", "port": 80}, "targetGroupARN": "arn:stable"}},
    {"spec": {"serviceRef": {"name": "frontend", "port": 80}, "targetGroupARN": "arn:frontend"}},
]


def service(name: str, selected: str | None) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"selector": {HASH_LABEL: selected} if selected else {"app": "x"}}}


def test_the_arms_are_counted_by_the_revision_that_each_service_selects_now() -> None:
    services = [service("backend-stable", STABLE), service("backend-canary", CANARY)]
    assert find_arms_by_hash(BINDINGS, services, STABLE, CANARY) == ARMS
    swapped = [service("backend-stable", CANARY), service("backend-canary", STABLE)]
    assert find_arms_by_hash(BINDINGS, swapped, STABLE, CANARY) == Arms(stable=ARMS.canary, canary=ARMS.stable)


@pytest.mark.parametrize(
    ("selected", "said"),
    [(STABLE, STABLE), ("5d4f", "5d4f"), (None, "every revision")],
    ids=["stable", "other", "none"],
)
def test_a_service_that_selects_an_unexpected_revision_is_said_and_not_counted(selected: str | None, said: str) -> None:
    services = [service("backend-stable", STABLE), service("backend-canary", selected)]
    with pytest.raises(Unavailable, match=f"cannot be told which revision .*, Service backend-canary selects {said};"):
        find_arms_by_hash(BINDINGS, services, STABLE, CANARY)


@pytest.mark.parametrize(("ingress", "rule", "is_behind"), [(0, 30, True), (0, None, True), (30, 30, False)])
def test_a_load_balancer_whose_rule_is_not_the_ingress_does_not_follow_it(
    ingress: float, rule: float | None, is_behind: bool
) -> None:
    weight_sources = (
        WeightSource("the Rollout's status", 0),
        WeightSource("the annotation", ingress),
        WeightSource("listener rule 1", rule),
    )
    assert is_not_followed(weight_sources) is is_behind
