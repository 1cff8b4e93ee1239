"""What a test does to a shop before something goes wrong with it."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from delivery.application.planning import CanaryRun
from delivery.environment import Environment
from delivery.release import Release
from delivery.rollout.conditions import why_not_ready_to_start
from delivery.rollout.weights import why_not_weight
from tasks.canary.start import apply_application, confirm_promoted, prepare_rollout, wait_until_paused
from tasks.rollback.revisions import choose_revision
from tasks.rollback.rollback import restore_revision
from tasks.rollout.live import LiveRollout, connect_rollout
from tasks.rollout.steps import confirm_weight, end_pause
from tests.shop import Shop

NO_SETTINGS: Mapping[str, str] = MappingProxyType({})


def start(shop: Shop, release: Release, settings_names: Mapping[str, str] = NO_SETTINGS) -> CanaryRun:
    firing_before = prepare_rollout.fn(shop.environment, release, settings_names)
    return apply_application.fn(shop.environment, release, settings_names, firing_before)


def install(shop: Shop, digest: str) -> None:
    """The first revision serves all traffic."""
    with shop.release(digest) as release:
        confirm_promoted.fn(shop.environment, start(shop, release))


def promote(shop: Shop, digest: str, settings_names: Mapping[str, str] = NO_SETTINGS) -> None:
    """The digest serves all traffic; nobody judged it."""
    with shop.release(digest) as release:
        canary = start(shop, release, settings_names)
        for step in canary.steps:
            wait_until_paused.fn(shop.environment, canary, step)
            end_pause(connect_rollout(shop.environment), release, canary.canary_hash, step)
        confirm_promoted.fn(shop.environment, canary)


def go_back(shop: Shop, digest: str, number: int) -> str:
    """To the revision with this number, as an operator does; what is said of it."""
    chosen = choose_revision.fn(shop.environment, number)
    with shop.release(digest) as release:
        return restore_revision.fn(shop.environment, release, chosen)


def stand_at_first_pause(shop: Shop, release: Release) -> tuple[LiveRollout, CanaryRun]:
    canary = start(shop, release)
    wait_until_paused.fn(shop.environment, canary, canary.steps[0])
    confirm_weight.fn(shop.environment, canary, canary.steps[0])
    return connect_rollout(shop.environment), canary


def hasty(environment: Environment, seconds: int) -> Environment:
    """The environment with deadlines of so many seconds, for what is not going to happen however long one waits."""
    deadlines = "ready_deadline", "weight_deadline", "mismatch_deadline"
    limits: dict[str, timedelta] = dict.fromkeys(deadlines, timedelta(seconds=seconds))
    return environment.model_copy(update={"canary": environment.canary.model_copy(update=limits)})


def change_pods(shop: Shop, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the pods' spec in the shop's manifests."""
    path = Path(shop.environment.application.manifests, "all.yaml")
    manifests = list(yaml.safe_load_all(path.read_text()))
    change(manifests[-1]["spec"]["template"]["spec"])
    path.write_text(yaml.safe_dump_all(manifests))


def served_digest(shop: Shop) -> str:
    """Of the revision that has all traffic, by every witness."""
    live = connect_rollout(shop.environment)
    assert why_not_weight(live.read_weight_sources(), 0) is None
    stable = live.read().stable
    assert stable is not None
    return stable.artifact_digest


def digest_at_rest(shop: Shop) -> str:
    """The same, once nothing is under way any more."""
    live = connect_rollout(shop.environment)
    live.wait_until(live.read, why_not_ready_to_start, "rest", deadline=shop.environment.canary.ready_deadline)
    return served_digest(shop)
