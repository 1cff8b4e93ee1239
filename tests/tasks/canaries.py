"""What a test does to a shop before something goes wrong with it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from delivery.application import CanaryRun
from delivery.environment import Environment
from delivery.release import Release
from tasks.rollouts import apply_application, confirm_promoted, settle_workload, wait_until_paused
from tasks.systems import LiveSystem, connect_system
from tasks.traffic import confirm_weight
from tests.shop import Shop


def start(shop: Shop, release: Release) -> CanaryRun:
    rang_before = settle_workload.fn(shop.environment, release, {})
    return apply_application.fn(shop.environment, release, {}, rang_before)


def install(shop: Shop, digest: str) -> None:
    """The first revision serves all traffic."""
    with shop.release(digest) as release:
        confirm_promoted.fn(shop.environment, start(shop, release))


def stand_at_first_pause(shop: Shop, release: Release) -> tuple[LiveSystem, CanaryRun]:
    canary = start(shop, release)
    wait_until_paused.fn(shop.environment, canary, canary.steps[0])
    confirm_weight.fn(shop.environment, canary, canary.steps[0])
    return connect_system(shop.environment), canary


def hasty(environment: Environment, seconds: int) -> Environment:
    """The environment with deadlines of so many seconds, for what is not going to happen."""
    limits = {"ready_deadline": timedelta(seconds=seconds), "weight_deadline": timedelta(seconds=seconds)}
    return environment.model_copy(update={"canary": environment.canary.model_copy(update=limits)})


def change_pods(shop: Shop, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the pods' spec in the shop's manifests."""
    path = Path(shop.environment.application.manifests, "all.yaml")
    manifests = list(yaml.safe_load_all(path.read_text()))
    change(manifests[-1]["spec"]["template"]["spec"])
    path.write_text(yaml.safe_dump_all(manifests))
