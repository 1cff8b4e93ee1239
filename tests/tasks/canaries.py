"""Releases and canaries of a shop, which tests prepare before they cause a failure."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from delivery.application.planning import CanaryRun
from delivery.canary.verdict import Analysis
from delivery.context import ReleaseContext
from delivery.environment import Environment
from delivery.plan import PartPlan
from delivery.release import Event
from delivery.rollout.conditions import why_not_ready_to_start
from delivery.rollout.weights import why_not_weight
from tasks.application.planning import make_object_plan, render_application
from tasks.canary.approval import require_approval
from tasks.canary.start import apply_application, confirm_promoted, prepare_rollout, wait_until_paused
from tasks.canary.watch import watch
from tasks.rollback.revisions import choose_revision
from tasks.rollback.rollback import restore_revision
from tasks.rollout.live import LiveRollout, connect_rollout
from tasks.rollout.steps import clear_pause, confirm_weight, end_pause
from tasks.state.journal import read_journal
from tests.shop import Shop

WITHOUT_ANALYSIS = "for the test"
NO_SETTINGS: Mapping[str, str] = MappingProxyType({})


def start(shop: Shop, context: ReleaseContext, settings_names: Mapping[str, str] = NO_SETTINGS) -> CanaryRun:
    firing_before = prepare_rollout.fn(context, settings_names)
    return apply_application.fn(context, settings_names, firing_before)


def plan(shop: Shop, digest: str) -> PartPlan:
    """The plan of the application's part of a release."""
    live = connect_rollout(shop.environment)
    return make_object_plan(live, render_application(shop.environment, digest, {}), digest)


def install(shop: Shop, digest: str) -> None:
    """A first installation, after which the first revision serves all traffic."""
    with shop.release(digest) as context:
        confirm_promoted.fn(shop.environment, start(shop, context))


def promote(shop: Shop, digest: str, settings_names: Mapping[str, str] = NO_SETTINGS) -> None:
    """A release whose canary is promoted without an analysis."""
    with shop.release(digest) as context:
        canary = start(shop, context, settings_names)
        for step in canary.steps:
            wait_until_paused.fn(shop.environment, canary, step)
            end_pause(connect_rollout(shop.environment), context, canary.canary_hash, step)
        confirm_promoted.fn(shop.environment, canary)


def roll_back_to(shop: Shop, digest: str, number: int) -> str:
    """A manual rollback to the revision with this number. Returns the message."""
    chosen = choose_revision.fn(shop.environment, number)
    with shop.release(digest) as context:
        return restore_revision.fn(context, chosen)


def run_canary(shop: Shop, context: ReleaseContext, canary: CanaryRun) -> list[Analysis]:
    """Run every remaining canary step as the flow does. Returns the analyses."""
    evidence, analyses = None, []
    for step in canary.steps:
        wait_until_paused.fn(shop.environment, canary, step)
        confirm_weight.fn(shop.environment, step)
        evidence, judgement = watch.fn(context, canary, step, evidence)
        analyses.append(judgement.analysis)
        evidence, approval = require_approval(context, canary, step, evidence, judgement)
        clear_pause.fn(context, canary, step, approval)
    confirm_promoted.fn(shop.environment, canary)
    return analyses


def roll_out(shop: Shop, digest: str) -> list[Analysis]:
    with shop.release(digest) as context:
        return run_canary(shop, context, start(shop, context))


def wait_for_pause(shop: Shop, context: ReleaseContext, canary: CanaryRun, index: int) -> None:
    """Wait for the pause with this index. Earlier steps are promoted without an analysis."""
    for step in canary.steps[: index + 1]:
        wait_until_paused.fn(shop.environment, canary, step)
        confirm_weight.fn(shop.environment, step)
        if step is not canary.steps[index]:
            clear_pause.fn(context, canary, step, WITHOUT_ANALYSIS)


def reach_first_pause(shop: Shop, context: ReleaseContext) -> tuple[LiveRollout, CanaryRun]:
    canary = start(shop, context)
    wait_for_pause(shop, context, canary, 0)
    return connect_rollout(shop.environment), canary


def judged(shop: Shop, context: ReleaseContext) -> list[dict[str, Any]]:
    """What the journal records of each judged step."""
    journal = read_journal(shop.environment, context.release.number)
    return [record.detail for record in journal if record.event is Event.JUDGED]


def with_deadlines(environment: Environment, seconds: int) -> Environment:
    """The environment with deadlines of this many seconds, for conditions that are never met."""
    deadlines = "ready_deadline", "weight_deadline", "mismatch_deadline"
    limits: dict[str, timedelta] = dict.fromkeys(deadlines, timedelta(seconds=seconds))
    return environment.model_copy(update={"canary": environment.canary.model_copy(update=limits)})


def change_pods(shop: Shop, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the spec of the pods in the shop's manifests."""
    path = Path(shop.environment.application.manifests, "all.yaml")
    manifests = list(yaml.safe_load_all(path.read_text()))
    change(manifests[-1]["spec"]["template"]["spec"])
    path.write_text(yaml.safe_dump_all(manifests))


def served_digest(shop: Shop) -> str:
    """The digest of the revision that has all traffic, confirmed by every weight source."""
    live = connect_rollout(shop.environment)
    assert why_not_weight(live.read_weight_sources(), 0) is None
    stable = live.read().stable
    assert stable is not None
    return stable.artifact_digest


def served_digest_when_idle(shop: Shop) -> str:
    """The digest of the revision that has all traffic, after the Rollout is idle."""
    live = connect_rollout(shop.environment)
    live.wait_until(
        live.read, why_not_ready_to_start, "an idle Rollout", deadline=shop.environment.canary.ready_deadline
    )
    return served_digest(shop)
