from collections.abc import Callable
from dataclasses import replace

import pytest

from delivery.rollout.conditions import (
    is_controller_idle,
    is_inside_window,
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
    at_rest,
    done,
    pod,
    replica_set,
)

PREDICATES: list[tuple[Callable[[], RolloutSnapshot], Callable[[RolloutSnapshot], str | None]]] = [
    (at_rest, why_not_ready_to_start),
    (at_pause, lambda snapshot: why_not_started(snapshot, STABLE, CANARY_IMAGE)),
    (at_pause, lambda snapshot: why_not_at_pause(snapshot, AT_20, CANARY)),
    (done, lambda snapshot: why_not_done(snapshot, CANARY)),
    (aborted, why_not_aborted),
]


@pytest.mark.parametrize(("snapshot", "why_not"), PREDICATES)
def test_each_state_is_known_by_its_own_predicate(snapshot, why_not) -> None:
    assert why_not(snapshot()) is None


@pytest.mark.parametrize(("snapshot", "why_not"), PREDICATES)
def test_a_status_from_before_the_last_write_proves_nothing(snapshot, why_not) -> None:
    stale = replace(snapshot(), observed_generation="3")
    assert why_not(stale) == "the controller has not observed the specification yet"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"step_index": 3}, "it is at step 3, not at 1"),
        ({"current_hash": "other"}, "its revision is other, not 7c9f"),
        ({"is_abort_asked": True}, "it is aborted"),
        ({"pause_reasons": ()}, "its pauses are ()"),
        ({"pause_reasons": ("CanaryPauseStep", "InconclusiveAnalysisRun")}, "its pauses are ('CanaryPauseStep',"),
        ({"is_paused_by_controller": False}, "the controller has not put the pause"),
        ({"is_paused_manually": True}, "it is paused by hand"),
        ({"phase": "Progressing", "message": "updating"}, "it is Progressing (updating)"),
        ({"weights": None}, "the controller has written no weights"),
        ({"weights": Weights(0, CANARY, 100, STABLE)}, "the controller's weight is 0 %, not 20 %"),
        ({"weights": Weights(20, "other", 80, STABLE)}, "the controller's weight is 20 %"),
        ({"steps": ({"setWeight": 20}, {"pause": {"duration": "10m"}})}, "step 1 is no pause without duration"),
        ({"steps": ()}, "its steps are others than planned"),
    ],
)
def test_a_pause_that_is_not_exactly_ours_is_not_cleared(change, reason) -> None:
    assert (why_not_at_pause(replace(at_pause(), **change), AT_20, CANARY) or "").startswith(reason)


def test_a_canary_whose_pods_do_not_come_names_them_before_the_step_it_is_at() -> None:
    unready = replace(pod(CANARY, CANARY_IMAGE), is_ready=False, waits_for="container backend runs and is not ready")
    waiting = replace(
        at_pause(), step_index=0, pods=(unready,), replica_sets=(replica_set(CANARY, CANARY_IMAGE, 2, 0),)
    )
    assert why_not_at_pause(waiting, AT_20, CANARY) == (
        f"of the canary, 0 of 1 pods are available (pod {unready.name}: container backend runs and is not ready)"
    )


def test_a_weight_that_stays_for_want_of_stable_pods_says_so() -> None:
    broken = (replica_set(CANARY, CANARY_IMAGE, 2, 1), replica_set(STABLE, STABLE_IMAGE, 1, 0))
    stuck = replace(at_pause(), weights=Weights(0, CANARY, 100, STABLE), replica_sets=broken)
    assert why_not_at_pause(stuck, AT_20, CANARY) == (
        "the controller's weight is 0 %, not 20 %: of the stable revision, 0 of 3 pods are available, "
        "and until then no traffic is moved"
    )


def test_a_pause_counts_only_with_the_pods_that_its_weight_needs() -> None:
    at_60 = replace(at_pause(), step_index=3, weights=Weights(60, CANARY, 40, STABLE))
    assert why_not_at_pause(at_60, AT_60, CANARY) == "of the canary, 1 of 2 pods are available"


def test_a_cleared_pause_is_not_promoted_while_the_phase_still_says_paused() -> None:
    cleared = replace(at_pause(), pause_reasons=())
    assert cleared.phase == "Paused"
    assert why_not_promoted_past(cleared, AT_20, CANARY) == "it is still at step 1"


def test_a_step_that_moved_before_the_controller_noticed_is_not_promoted() -> None:
    moving = replace(at_pause(), step_index=2, pause_reasons=())
    assert why_not_promoted_past(moving, AT_20, CANARY) == "the controller has not taken note of the cleared pause"


def test_the_next_step_is_promoted_past_the_one_before() -> None:
    moved = replace(at_pause(), step_index=2, pause_reasons=(), is_paused_by_controller=False, phase="Progressing")
    assert why_not_promoted_past(moved, AT_20, CANARY) is None


def test_nobody_starts_while_a_canary_is_under_way() -> None:
    assert why_not_ready_to_start(at_pause()) == "a canary is under way"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"is_paused_manually": True}, "it is paused by hand (spec.paused)"),
        ({"stable_hash": ""}, "it has no stable revision yet"),
        ({"phase": "Degraded", "message": "no"}, "it is Degraded (no)"),
    ],
)
def test_a_rollout_that_is_not_at_rest_is_not_started(change, reason) -> None:
    assert why_not_ready_to_start(replace(at_rest(), **change)) == reason


def test_the_image_of_the_new_revision_is_looked_at() -> None:
    assert why_not_started(at_pause(), STABLE, "registry/backend@sha256:cc") == f"its new revision runs {CANARY_IMAGE}"


def test_an_apply_that_made_no_revision_has_not_started() -> None:
    assert why_not_started(at_rest(), STABLE, STABLE_IMAGE) == "the controller has not made a new revision"


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
def test_an_abort_that_was_only_asked_for_is_not_aborted(change) -> None:
    assert why_not_aborted(replace(aborted(), **change)) is not None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"conditions": {"InvalidSpec": Condition("True", "", "bad")}},
            "the controller refuses its specification: bad",
        ),
        ({"conditions": {"ReplicaFailure": Condition("True", "", "quota")}}, "its pods cannot be made: quota"),
        (
            {"conditions": {"Progressing": Condition("False", "ProgressDeadlineExceeded")}},
            "its pods did not become available in time",
        ),
        ({"pause_reasons": ("InconclusiveAnalysisRun",)}, "the analysis in the cluster is inconclusive"),
        ({"current_hash": "other"}, "somebody else changed it: its revision is other, not 7c9f"),
        ({"is_abort_asked": True, "message": "aborted"}, "somebody else aborted it: aborted"),
        ({"is_paused_manually": True}, "somebody else paused it by hand (spec.paused)"),
    ],
)
def test_what_will_not_come_is_broken(change, reason) -> None:
    assert why_broken(replace(at_pause(), **change), CANARY) == reason


def test_a_canary_that_waits_is_not_broken() -> None:
    assert why_broken(at_pause(), CANARY) is None


def test_a_change_that_the_controller_has_not_observed_breaks_nothing_yet() -> None:
    assert why_broken(replace(at_rest(), observed_generation="3"), CANARY) is None


def test_a_recent_revision_is_inside_the_rollback_window() -> None:
    assert is_inside_window(done(), STABLE)


def test_a_revision_further_back_than_the_window_is_given_its_steps() -> None:
    older = tuple(replica_set(f"old{number}", "image", number, 0) for number in range(5))
    snapshot = replace(done(), replica_sets=(replica_set(CANARY, CANARY_IMAGE, 6, 3), *older))
    assert [is_inside_window(snapshot, f"old{number}") for number in range(5)] == [False, False, True, True, True]


def test_a_newer_revision_than_the_stable_one_is_not_inside_the_window() -> None:
    assert not is_inside_window(at_pause(), CANARY)


def test_three_pods_at_20_percent_need_one_pod() -> None:
    assert why_not_at_pause(at_pause(), CanaryStep(1, 20), CANARY) is None


def test_a_controller_that_takes_no_note_of_an_abort_stands_still() -> None:
    assert is_controller_idle(replace(aborted(), aborted_at=None))
    assert not is_controller_idle(at_pause())
