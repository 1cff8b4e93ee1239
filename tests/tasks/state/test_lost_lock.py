"""A release that has lost its environment in the middle of an effect: what belongs to the next holder is left alone."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from delivery.errors import LockLost
from delivery.rollout.conditions import why_not_at_pause
from tasks.rollout.abort import ask_for_abort
from tasks.rollout.live import LiveRollout, connect_rollout
from tasks.rollout.steps import end_pause
from tasks.rollout.template import apply_template, step_through
from tasks.state.lock import lock_environment
from tests.lossy import lossy_kubeconfig
from tests.shop import Shop
from tests.tasks.canaries import install, stand_at_first_pause


def test_a_release_whose_environment_is_taken_while_it_writes_changes_nothing_more(shop: Shop, tmp_path: Path) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as release:
        live, canary = stand_at_first_pause(shop, release)
        with lossy_kubeconfig(shop.sandbox.state / "kubeconfig", tmp_path) as (kubeconfig, connection):
            connection.before_write = lambda: take_and_write(live)
            with pytest.raises(LockLost, match=r"the environment was taken: .*the next one"):
                end_pause(connect_rollout(shop.through(kubeconfig)), release, canary.canary_hash, canary.steps[0])
            assert connection.carried_out == 0
        for change in (
            lambda: step_through(live, release, canary.canary_hash, "b"),
            lambda: ask_for_abort(live, release),
            lambda: apply_template(live, release, canary.stable_hash),
        ):
            with pytest.raises(LockLost):
                change()
        assert why_not_at_pause(live.read(), canary.steps[0], canary.canary_hash) is None


def take_and_write(live: LiveRollout) -> None:
    """Somebody takes the environment, as where our process stood still for long, and writes the Rollout before us."""
    late = datetime.now(UTC) + timedelta(minutes=5)
    with lock_environment(live.environment, f"sha256:{'c' * 64}", "plan", "the next one", now=lambda: late):
        version, body = live.read().resource_version, {"metadata": {"annotations": {"note": "taken"}}}
        live.cluster.patch_merge("Rollout", "till", live.rollout_spec.namespace, body, resource_version=version)
