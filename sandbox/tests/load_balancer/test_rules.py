import random
from collections import Counter
from typing import Any

import pytest

from sandbox.load_balancer.configuration import Configuration, Listener, Rule
from sandbox.load_balancer.rules import RoutedRequest, choose_group, choose_rule, matches

HOST = {"Field": "host-header", "HostHeaderConfig": {"Values": ["api.genai-demo.com"]}}
API = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/api/*", "/api"]}}


def rule(*conditions: dict[str, Any], default: bool = False) -> Rule:
    return Rule(conditions, ({"Type": "forward", "TargetGroupArn": "a"},), default)


def forward(**weights: int) -> dict[str, Any]:
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}


@pytest.mark.parametrize(
    ("host", "target", "matched"),
    [
        ("api.genai-demo.com", "/api/products?page=2", True),
        ("api.genai-demo.com", "/api", True),
        ("api.genai-demo.com", "/apis", False),
        ("genai-demo.com", "/api/products", False),
    ],
)
def test_a_rule_matches_if_all_conditions_are_met(host: str, target: str, matched: bool) -> None:
    assert matches(rule(HOST, API), RoutedRequest("GET", host, target)) is matched


def test_paths_are_case_sensitive() -> None:
    assert not matches(rule(API), RoutedRequest("GET", "any", "/API/products"))


def test_brackets_in_a_pattern_are_plain_characters() -> None:
    pattern = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/[ab]"]}}
    assert matches(rule(pattern), RoutedRequest("GET", "any", "/[ab]"))
    assert not matches(rule(pattern), RoutedRequest("GET", "any", "/a"))


def test_an_unknown_condition_is_never_met() -> None:
    assert not matches(rule({"Field": "source-ip"}), RoutedRequest("GET", "any", "/"))


def test_a_default_rule_is_used_only_if_no_rule_matches() -> None:
    default, own = rule(default=True), rule(HOST)
    configuration = Configuration((Listener("app/x/1", "HTTPS", 443, (own, default)),))
    chosen = choose_rule(configuration, "HTTPS", RoutedRequest("GET", "api.genai-demo.com", "/"))
    otherwise = choose_rule(configuration, "HTTPS", RoutedRequest("GET", "example.com", "/"))
    assert chosen is not None
    assert chosen[1] is own
    assert otherwise is not None
    assert otherwise[1] is default


def test_without_a_listener_of_the_protocol_there_is_no_rule() -> None:
    configuration = Configuration((Listener("app/x/1", "HTTP", 80, (rule(default=True),)),))
    assert choose_rule(configuration, "HTTPS", RoutedRequest("GET", "any", "/")) is None


def test_requests_are_split_by_weight() -> None:
    chance = random.Random(1)
    counts = Counter(choose_group(forward(stable=80, canary=20), chance) for _ in range(10_000))
    assert counts["canary"] == pytest.approx(2000, abs=200)


def test_a_weight_of_0_gets_no_requests() -> None:
    chance = random.Random(1)
    assert {choose_group(forward(stable=100, canary=0), chance) for _ in range(500)} == {"stable"}


def test_weights_that_are_all_0_choose_no_group() -> None:
    assert choose_group(forward(stable=0, canary=0), random.Random(1)) is None


def test_one_target_group_may_be_named_without_a_weight() -> None:
    assert choose_group({"Type": "forward", "TargetGroupArn": "only"}, random.Random(1)) == "only"
