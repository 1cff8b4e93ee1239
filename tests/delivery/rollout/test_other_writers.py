"""Another client that changes a Rollout during a canary: it is noticed, and named if the cluster has recorded it."""

from dataclasses import replace

import pytest

from delivery.rollout.conditions import why_broken, why_moved
from delivery.rollout.snapshot import Writer
from tests.delivery.rollout.objects import AT_20, CANARY, STABLE, aborted, at_pause, replica_set

LATER = "2026-11-24T12:05:00Z"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"step_index": 2}, "another client moved it to step 2"),
        ({"pause_reasons": ()}, "another client cleared its pause"),
        ({"stable_hash": "other"}, "the hash of its stable revision changed from 66d4 to other"),
    ],
)
def test_a_pause_that_another_client_ends_is_noticed(change, reason) -> None:
    assert why_moved(replace(at_pause(), **change), AT_20, CANARY, STABLE) == reason
    assert why_moved(at_pause(), AT_20, CANARY, STABLE) is None


def test_a_writer_that_scales_during_a_canary_is_named() -> None:
    scaled = replace(at_pause(), replicas=5, writers=(Writer("kubectl", LATER, owns_replicas=True),))
    reason = "another client (field manager kubectl, 12:05 UTC) scaled it to 5 pods"
    assert why_moved(scaled, AT_20, CANARY, STABLE) == reason


def test_a_writer_that_scales_is_named_even_without_a_time() -> None:
    scaled = replace(at_pause(), replicas=5, writers=(Writer("kubectl", "", owns_replicas=True),))
    reason = "another client (field manager kubectl) scaled it to 5 pods"
    assert why_moved(scaled, AT_20, CANARY, STABLE) == reason


@pytest.mark.parametrize(
    "writer",
    [
        Writer("kube-controller-manager", LATER, owns_replicas=True),
        Writer("kubectl", "2026-11-24T11:00:00Z", owns_replicas=True),
        Writer("kubectl-annotate", LATER, owns_replicas=False),
    ],
)
def test_an_autoscaler_an_earlier_writer_and_a_writer_of_other_fields_have_not_scaled_the_canary(writer) -> None:
    assert why_moved(replace(at_pause(), writers=(writer,)), AT_20, CANARY, STABLE) is None


def test_the_last_writer_is_named_if_the_rollout_moved() -> None:
    moved = replace(at_pause(), step_index=3, writers=(Writer("kubectl-patch", LATER, owns_replicas=False),))
    reason = "another client (field manager kubectl-patch, 12:05 UTC) moved it to step 3"
    assert why_moved(moved, AT_20, CANARY, STABLE) == reason


def test_the_writer_of_another_template_is_named_although_its_revision_is_newer() -> None:
    other = replace(replica_set("5d5d", "registry/backend@sha256:cc", 3, 0), created_at="2026-11-24T12:05:09Z")
    changed = replace(
        at_pause(),
        current_hash=other.hash,
        replica_sets=(other, *at_pause().replica_sets),
        writers=(Writer("kubectl-patch", LATER, owns_replicas=False),),
    )
    writer = "another client (field manager kubectl-patch, 12:05 UTC)"
    reason = f"{writer} changed it: its pod-template hash is 5d5d, not {CANARY}"
    assert why_moved(changed, AT_20, CANARY, STABLE) == reason


def test_an_abort_by_the_analysis_in_the_cluster_names_no_writer() -> None:
    message = "RolloutAborted: Rollout aborted update to revision 2: Background analysis phase error/failed: rate"
    assert (
        why_broken(replace(aborted(), message=message), CANARY) == f"the analysis in the cluster aborted it: {message}"
    )
