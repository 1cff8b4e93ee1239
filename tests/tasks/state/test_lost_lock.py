"""A release that lost the lock during an effect changes nothing that the next release owns."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from delivery.errors import LockLost
from delivery.rollout.conditions import why_not_at_pause
from tasks.rollout.abort import request_abort
from tasks.rollout.live import LiveRollout, connect_rollout
from tasks.rollout.steps import end_pause
from tasks.rollout.template import apply_template, read_past_pauses
from tasks.state.lock import lock_environment
from tests.lossy import lossy_kubeconfig
from tests.shop import Shop
from tests.tasks.canaries import install, reach_first_pause


def test_a_release_that_loses_the_lock_during_a_write_changes_nothing_more(shop: Shop, tmp_path: Path) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as context:
        live, canary = reach_first_pause(shop, context)
        with lossy_kubeconfig(shop.sandbox.state / "kubeconfig", tmp_path) as (kubeconfig, connection):
            connection.before_write = lambda: lock_and_write(live)
            with pytest.raises(LockLost, match=r"Lost the lock on production to .*the next one"):
                end_pause(connect_rollout(shop.through(kubeconfig)), context, canary.canary_hash, canary.steps[0])
            assert connection.accepted_writes == 0
        for change in (
            lambda: read_past_pauses(live, context, canary.canary_hash, "b"),
            lambda: request_abort(live, context),
            lambda: apply_template(live, context, canary.stable_hash),
        ):
            with pytest.raises(LockLost):
                change()
        assert why_not_at_pause(live.read(), canary.steps[0], canary.canary_hash) is None


def lock_and_write(live: LiveRollout) -> None:
    """Another process acquires the lock, as if ours was suspended, and writes the Rollout first."""
    late = datetime.now(UTC) + timedelta(minutes=5)
    with lock_environment(live.environment, f"sha256:{'c' * 64}", "plan", "the next one", now=lambda: late):
        version, body = live.read().resource_version, {"metadata": {"annotations": {"note": "taken"}}}
        live.cluster.patch_merge("Rollout", "till", live.rollout_spec.namespace, body, resource_version=version)
