"""Somebody else's manifests, with steps and a root of their own."""

from pathlib import Path

import pytest
import yaml

from delivery.release import Event
from delivery.weights import why_not_weight
from tasks.journal import read_journal
from tasks.rollouts import confirm_promoted, wait_until_paused
from tasks.systems import connect_system
from tasks.traffic import clear_pause, confirm_weight, end_pause, wait_until_left
from tests.shop import Shop
from tests.tasks.canaries import install, start

WEIGHTS = (10, 25, 50, 75)


def rewrite(shop: Shop, weights: tuple[int, ...] = WEIGHTS) -> None:
    """Four pods, steps, and the stable Service itself as the action, as Argo has it without a rootService."""
    path = Path(shop.environment.application.manifests, "all.yaml")
    manifests = list(yaml.safe_load_all(path.read_text()))
    ingress = next(found for found in manifests if found["kind"] == "Ingress")
    ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"] = "blue"
    rollout = manifests[-1]
    canary = rollout["spec"]["strategy"]["canary"]
    del canary["trafficRouting"]["alb"]["rootService"]
    canary["steps"] = [step for weight in weights for step in ({"setWeight": weight}, {"pause": {}})]
    rollout["metadata"]["name"] = "counter"
    rollout["spec"]["replicas"] = 4
    path.write_text(yaml.safe_dump_all(manifests))


@pytest.mark.proof
@pytest.mark.timeout(600)
def test_a_strangers_manifests_are_released_through_their_own_steps(shop: Shop) -> None:
    rewrite(shop)
    install(shop, shop.push("a"))
    digest = shop.push("b")
    with shop.release(digest) as release:
        canary, live = start(shop, release), connect_system(shop.environment)
        assert tuple(step.weight_percent for step in canary.steps) == WEIGHTS
        for step in canary.steps:
            wait_until_paused.fn(shop.environment, canary, step)
            confirm_weight.fn(shop.environment, canary, step)
            end_pause(live, release, canary.canary_hash, step)
            wait_until_left(live, canary.canary_hash, step)
        confirm_promoted.fn(shop.environment, canary)
    stable = live.read().stable
    assert stable is not None
    assert stable.artifact_digest == digest
    assert why_not_weight(live.call_witnesses(), 0) is None


@pytest.mark.proof
@pytest.mark.timeout(600)
def test_each_of_two_pauses_at_one_share_is_ended_and_told_by_itself(shop: Shop) -> None:
    rewrite(shop, (25, 25))
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as release:
        canary = start(shop, release)
        for step in canary.steps:
            wait_until_paused.fn(shop.environment, canary, step)
            confirm_weight.fn(shop.environment, canary, step)
            clear_pause.fn(shop.environment, release, canary, step, "the test wants it")
        confirm_promoted.fn(shop.environment, canary)
    ended = [record for record in read_journal(shop.environment, release.number) if record.event is Event.DONE]
    assert [record.step for record in ended[-2:]] == ["Canary/25 %", "Canary/25 %, pause 2"]
