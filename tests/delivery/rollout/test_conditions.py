from collections.abc import Callable
from dataclasses import replace

import pytest

from delivery.rollout.conditions import (
    is_in_rollback_window,
    is_waiting_for_controller,
    why_broken,
    why_not_aborted,
    why_not_at_pause,
    why_not_done,
    why_not_promoted_past,
    why_not_ready_to_start,
    why_not_started,
)
from delivery.rollout.manifests import CanaryStep
from delivery.rollout.snapshot import Condition, RolloutSnapshot, Weights
from tests.delivery.rollout.objects import (
    AT_20,
    AT_60,
    CANARY,
    CANARY_IMAGE,
    STABLE,
    STABLE_IMAGE,
    aborted,
    at_pause,
    done,
    idle,
    pod,
    replica_set,
)

CONDITIONS: list[tuple[Callable[[], RolloutSnapshot], Callable[[RolloutSnapshot], str | None]]] = [
    (idle, why_not_ready_to_start),
    (at_pause, lambda snapshot: why_not_started(snapshot, STABLE, CANARY_IMAGE)),
    (at_pause, lambda snapshot: why_not_at_pause(snapshot, AT_20, CANARY)),
    (done, lambda snapshot: why_not_done(snapshot, CANARY)),
    (aborted, why_not_aborted),
]


@pytest.mark.parametrize(("snapshot", "why_not"), CONDITIONS)
def test_each_state_fulfils_its_condition(snapshot, why_not) -> None:
    assert why_not(snapshot()) is None


@pytest.mark.parametrize(("snapshot", "why_not"), CONDITIONS)
def test_a_status_from_before_the_last_write_fulfils_no_condition(snapshot, why_not) -> None:
    stale = replace(snapshot(), observed_generation="3")
    assert why_not(stale) == "the controller has not observed the specification yet"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"step_index": 3}, "it is at step 3, not step 1"),
        ({"current_hash": "other"}, "its pod-template hash is other, not 7c9f"),
        ({"is_abort_requested": True}, "it is aborted"),
        ({"pause_reasons": ()}, "its pause reasons are [], not [CanaryPauseStep]"),
        (
            {"pause_reasons": ("CanaryPauseStep", "InconclusiveAnalysisRun")},
            "its pause reasons are [CanaryPauseStep, InconclusiveAnalysisRun], not",
        ),
        ({"is_paused_by_controller": False}, "the controller has not set the pause"),
        ({"is_paused_manually": True}, "it is paused manually"),
        ({"phase": "Progressing", "message": "updating"}, "it is Progressing (updating)"),
        ({"weights": None}, "the controller has written no weights"),
        ({"weights": Weights(0, CANARY, 100, STABLE)}, "the weight in its status is 0 %, not 20 %"),
        ({"weights": Weights(20, "other", 80, STABLE)}, "the weight in its status is 20 %"),
        ({"steps": ({"setWeight": 20}, {"pause": {"duration": "10m"}})}, "step 1 is not a pause without a duration"),
        ({"steps": ()}, "its steps differ from the plan"),
    ],
)
def test_another_pause_than_that_of_the_step_is_not_cleared(change, reason) -> None:
    assert (why_not_at_pause(replace(at_pause(), **change), AT_20, CANARY) or "").startswith(reason)


def test_pods_that_are_not_ready_are_named_instead_of_the_step_index() -> None:
    reason = "container backend is running and not ready"
    unready = replace(pod(CANARY, CANARY_IMAGE), is_ready=False, unready_reason=reason)
    waiting = replace(
        at_pause(), step_index=0, pods=(unready,), replica_sets=(replica_set(CANARY, CANARY_IMAGE, 2, 0),)
    )
    assert why_not_at_pause(waiting, AT_20, CANARY) == (
        f"the canary has too few pods: 0 of 1 pods are available (pod {unready.name}: {reason})"
    )


def test_a_weight_that_does_not_change_because_stable_pods_are_missing_says_so() -> None:
    broken = (replica_set(CANARY, CANARY_IMAGE, 2, 1), replica_set(STABLE, STABLE_IMAGE, 1, 0))
    stuck = replace(at_pause(), weights=Weights(0, CANARY, 100, STABLE), replica_sets=broken)
    assert why_not_at_pause(stuck, AT_20, CANARY) == (
        "the weight in its status is 0 %, not 20 %: the controller moves no traffic until the stable revision has "
        "enough pods; 0 of 3 pods are available"
    )


def test_a_pause_is_reached_only_with_the_pods_that_its_weight_needs() -> None:
    at_60 = replace(at_pause(), step_index=3, weights=Weights(60, CANARY, 40, STABLE))
    assert why_not_at_pause(at_60, AT_60, CANARY) == "the canary has too few pods: 1 of 2 pods are available"


def test_a_canary_is_not_promoted_while_its_step_index_is_that_of_the_pause() -> None:
    cleared = replace(at_pause(), pause_reasons=())
    assert cleared.phase == "Paused"
    assert why_not_promoted_past(cleared, AT_20, CANARY) == "it is still at step 1"


def test_a_canary_is_not_promoted_before_the_controller_observes_the_cleared_pause() -> None:
    moving = replace(at_pause(), step_index=2, pause_reasons=())
    reason = why_not_promoted_past(moving, AT_20, CANARY)
    assert reason == "the controller has not observed that the pause was cleared"


def test_a_canary_at_the_next_step_is_promoted_past_the_one_before() -> None:
    moved = replace(at_pause(), step_index=2, pause_reasons=(), is_paused_by_controller=False, phase="Progressing")
    assert why_not_promoted_past(moved, AT_20, CANARY) is None


def test_no_canary_starts_while_another_one_is_under_way() -> None:
    assert why_not_ready_to_start(at_pause()) == "a canary is under way"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"is_paused_manually": True}, "it is paused manually (spec.paused)"),
        ({"stable_hash": ""}, "it has no stable revision yet"),
        ({"phase": "Degraded", "message": "no"}, "it is Degraded (no)"),
    ],
)
def test_a_rollout_that_is_not_idle_is_not_started(change, reason) -> None:
    assert why_not_ready_to_start(replace(idle(), **change)) == reason


def test_a_new_revision_with_another_image_is_not_the_one_that_was_started() -> None:
    reason = why_not_started(at_pause(), STABLE, "registry/backend@sha256:cc")
    assert reason == f"its new revision has the image {CANARY_IMAGE}"


def test_an_apply_that_created_no_revision_has_not_started() -> None:
    assert why_not_started(idle(), STABLE, STABLE_IMAGE) == "the controller has not created a new revision"


@pytest.mark.parametrize(
    "change",
    [
        {"conditions": {"Healthy": Condition("False")}},
        {"weights": Weights(100, CANARY, 0, STABLE)},
        {"weights": Weights(0, CANARY, 100, STABLE)},
        {"stable_hash": STABLE},
        {"replica_sets": (replica_set(CANARY, CANARY_IMAGE, 2, 2),)},
    ],
)
def test_healthy_alone_is_not_done(change) -> None:
    snapshot = replace(done(), **change)
    assert snapshot.phase == "Healthy"
    assert why_not_done(snapshot, CANARY) is not None


@pytest.mark.parametrize(
    "change",
    [
        {"aborted_at": None},
        {"weights": Weights(20, CANARY, 80, STABLE)},
        {"replica_sets": (replica_set(STABLE, STABLE_IMAGE, 1, 2),)},
    ],
)
def test_a_requested_abort_alone_is_not_an_abort(change) -> None:
    assert why_not_aborted(replace(aborted(), **change)) is not None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"conditions": {"InvalidSpec": Condition("True", "", "bad")}},
            "the controller rejects its specification: bad",
        ),
        ({"conditions": {"ReplicaFailure": Condition("True", "", "quota")}}, "its pods cannot be created: quota"),
        (
            {"conditions": {"Progressing": Condition("False", "ProgressDeadlineExceeded")}},
            "its pods did not become available within progressDeadlineSeconds",
        ),
        ({"pause_reasons": ("InconclusiveAnalysisRun",)}, "the analysis in the cluster is inconclusive"),
        ({"current_hash": "other"}, "another client changed it: its pod-template hash is other, not 7c9f"),
        ({"is_abort_requested": True, "message": "aborted"}, "another client aborted it: aborted"),
        ({"is_paused_manually": True}, "another client paused it manually (spec.paused)"),
    ],
)
def test_a_revision_that_cannot_become_available_is_broken(change, reason) -> None:
    assert why_broken(replace(at_pause(), **change), CANARY) == reason


def test_a_canary_at_its_pause_is_not_broken() -> None:
    assert why_broken(at_pause(), CANARY) is None


def test_a_change_that_the_controller_has_not_observed_is_not_broken_yet() -> None:
    assert why_broken(replace(idle(), observed_generation="3"), CANARY) is None


def test_a_recent_revision_is_in_the_rollback_window() -> None:
    assert is_in_rollback_window(done(), STABLE)


def test_only_the_latest_revisions_are_in_the_rollback_window() -> None:
    older = tuple(replica_set(f"old{number}", "image", number, 0) for number in range(5))
    snapshot = replace(done(), replica_sets=(replica_set(CANARY, CANARY_IMAGE, 6, 3), *older))
    assert [is_in_rollback_window(snapshot, f"old{number}") for number in range(5)] == [False, False, True, True, True]


def test_a_newer_revision_than_the_stable_one_is_not_in_the_rollback_window() -> None:
    assert not is_in_rollback_window(at_pause(), CANARY)


def test_three_pods_at_20_percent_need_one_pod() -> None:
    assert why_not_at_pause(at_pause(), CanaryStep(1, 20), CANARY) is None


def test_an_abort_that_the_controller_has_not_observed_waits_for_the_controller() -> None:
    assert is_waiting_for_controller(replace(aborted(), aborted_at=None))
    assert not is_waiting_for_controller(at_pause())
