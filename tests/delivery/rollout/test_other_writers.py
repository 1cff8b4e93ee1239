"""A canary that somebody else moves: noticed, and by whom as far as the cluster tells."""

from dataclasses import replace

import pytest

from delivery.rollout.conditions import why_broken, why_moved
from delivery.rollout.snapshot import Writer
from tests.delivery.rollout.objects import AT_20, CANARY, STABLE, aborted, at_pause, replica_set

LATER = "2026-11-24T12:05:00Z"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"step_index": 2}, "somebody else moved it to step 2"),
        ({"pause_reasons": ()}, "somebody else cleared its pause"),
        ({"stable_hash": "other"}, "its stable revision became other, it was 66d4"),
    ],
)
def test_a_pause_that_somebody_else_ends_is_noticed(change, reason) -> None:
    assert why_moved(replace(at_pause(), **change), AT_20, CANARY, STABLE) == reason
    assert why_moved(at_pause(), AT_20, CANARY, STABLE) is None


def test_somebody_who_scales_in_the_middle_of_a_canary_is_named() -> None:
    scaled = replace(at_pause(), replicas=5, writers=(Writer("kubectl", LATER, owns_replicas=True),))
    assert why_moved(scaled, AT_20, CANARY, STABLE) == f"somebody else (last kubectl, {LATER}) scaled it to 5 pods"


def test_somebody_who_scales_is_named_though_the_cluster_keeps_no_time_of_a_scale() -> None:
    scaled = replace(at_pause(), replicas=5, writers=(Writer("kubectl", "", owns_replicas=True),))
    assert why_moved(scaled, AT_20, CANARY, STABLE) == "somebody else (last kubectl) scaled it to 5 pods"


@pytest.mark.parametrize(
    "writer",
    [
        Writer("kube-controller-manager", LATER, owns_replicas=True),
        Writer("kubectl", "2026-11-24T11:00:00Z", owns_replicas=True),
        Writer("kubectl-annotate", LATER, owns_replicas=False),
    ],
)
def test_an_autoscaler_and_who_wrote_before_or_something_else_has_not_scaled_the_canary(writer) -> None:
    assert why_moved(replace(at_pause(), writers=(writer,)), AT_20, CANARY, STABLE) is None


def test_who_else_wrote_is_named_where_the_rollout_moved() -> None:
    moved = replace(at_pause(), step_index=3, writers=(Writer("kubectl-patch", LATER, owns_replicas=False),))
    assert why_moved(moved, AT_20, CANARY, STABLE) == f"somebody else (last kubectl-patch, {LATER}) moved it to step 3"


def test_who_changed_the_template_is_named_though_the_revision_of_it_was_made_later() -> None:
    theirs = replace(replica_set("5d5d", "registry/backend@sha256:cc", 3, 0), created_at="2026-11-24T12:05:09Z")
    changed = replace(
        at_pause(),
        current_hash=theirs.hash,
        replica_sets=(theirs, *at_pause().replica_sets),
        writers=(Writer("kubectl-patch", LATER, owns_replicas=False),),
    )
    said = f"somebody else (last kubectl-patch, {LATER}) changed it: its revision is 5d5d, not {CANARY}"
    assert why_moved(changed, AT_20, CANARY, STABLE) == said


def test_an_abort_by_the_analysis_in_the_cluster_is_no_somebody() -> None:
    message = "RolloutAborted: Rollout aborted update to revision 2: Background analysis phase error/failed: rate"
    assert (
        why_broken(replace(aborted(), message=message), CANARY) == f"the analysis in the cluster aborted it: {message}"
    )
