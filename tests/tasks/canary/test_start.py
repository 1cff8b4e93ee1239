"""The start of a canary, and first installations, which have no canary. Each test has its own application."""

from typing import Any

import pytest

from delivery.errors import NotPromoted
from delivery.plan import StepAction
from delivery.release import Event
from delivery.rollout.manifests import HASH_LABEL
from tasks.canary.start import wait_until_paused
from tasks.rollback.rollback import roll_back_application
from tasks.rollout.live import connect_rollout
from tasks.state.journal import read_journal
from tests.shop import CRASH, Shop
from tests.tasks.canaries import (
    plan,
    roll_out,
    run_canary,
    served_digest_when_idle,
    start,
    wait_for_pause,
)


def test_a_first_installation_has_no_canary_and_serves_its_digest(shop: Shop) -> None:
    digest = shop.push("a")
    assert {step.action for step in plan(shop, digest).steps} == {StepAction.CREATE}
    assert roll_out(shop, digest) == []
    assert served_digest_when_idle(shop) == digest
    assert {step.action for step in plan(shop, digest).steps} == {StepAction.NOTHING}


def test_a_first_installation_that_never_serves_is_deleted(shop: Shop) -> None:
    with shop.release(shop.push("crash", program=CRASH)) as context:
        with pytest.raises(NotPromoted, match="exit code 3"):
            start(shop, context)
        roll_back_application.fn(context)
    assert connect_rollout(shop.environment).find() is None


def test_a_first_installation_is_deleted_without_waiting_for_other_rollouts_pods(shop: Shop) -> None:
    with shop.release(shop.push("crash", program=CRASH)) as context:
        with pytest.raises(NotPromoted):
            start(shop, context)
        shop.cluster.apply(pod_of_another_rollout(shop))
        sentence = roll_back_application.fn(context)
    assert sentence == "There was no revision before this release: Rollout till and its pods were deleted."
    assert [pod["metadata"]["name"] for pod in shop.cluster.list("Pod", shop.namespace)] == ["counter-5d9c7"]


def pod_of_another_rollout(shop: Shop) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "counter-5d9c7",
            "namespace": shop.namespace,
            "labels": {"app": "counter", HASH_LABEL: "5d9c7"},
        },
        "spec": {"containers": [{"name": "counter", "image": "counter@sha256:" + "0" * 64}]},
    }


@pytest.mark.proof
def test_an_unfinished_canary_of_the_same_artifact_is_resumed_at_its_step(shop: Shop) -> None:
    roll_out(shop, shop.push("a"))
    digest = shop.push("b")
    with shop.release(digest) as died:
        wait_for_pause(shop, died, start(shop, died), 1)
    assert "is resumed at step 3" in plan(shop, digest).steps[-1].changes[-1]
    with shop.users(), shop.release(digest) as context:
        canary = start(shop, context)
        assert [step.weight_percent for step in canary.steps] == [70]
        run_canary(shop, context, canary)
    assert served_digest_when_idle(shop) == digest


@pytest.mark.proof
def test_an_unfinished_canary_of_another_artifact_is_aborted_before_the_template_changes(shop: Shop) -> None:
    good = shop.push("a")
    roll_out(shop, good)
    with shop.release(shop.push("b")) as died:
        wait_for_pause(shop, died, start(shop, died), 0)
    with shop.release(shop.push("c")) as context:
        canary = start(shop, context)
        steps = [
            record.step
            for record in read_journal(shop.environment, context.release.number)
            if record.event is Event.DONE
        ]
        assert steps == ["Canary/abort", "Application/Rollout till", "Application/Rollout till"]
        wait_until_paused.fn(shop.environment, canary, canary.steps[0])
        roll_back_application.fn(context)
    assert served_digest_when_idle(shop) == good


@pytest.mark.proof
def test_a_digest_that_failed_gets_a_new_canary_in_the_next_release(shop: Shop) -> None:
    bad = shop.push("bad", status=500)
    roll_out(shop, shop.push("a"))
    with shop.users():
        with shop.release(bad) as first:
            canary = start(shop, first)
            wait_until_paused.fn(shop.environment, canary, canary.steps[0])
            roll_back_application.fn(first)
        # The stable revision is now newer than the failed one, which the controller would promote without a canary.
        roll_out(shop, shop.push("b"))
        with shop.release(bad) as second, pytest.raises(NotPromoted, match=r"(failed|inconclusive) at 30 %"):
            run_canary(shop, second, start(shop, second))
