from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from delivery.application.planning import (
    ObjectPreview,
    Preview,
    can_resume,
    clean_template,
    find_changes,
    is_stable_already,
    plan_application,
    plan_unseen,
    steps_left,
    weights_ahead,
    window_revisions,
)
from delivery.plan import Step, StepAction
from delivery.rollout.snapshot import RolloutSnapshot
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
    replica_set,
)
from tests.delivery.rollout.test_manifests import other_system
from tests.delivery.rollout.test_weights import SYSTEM

NEW_IMAGE = "registry/backend@sha256:cc"


def template(image: str) -> Mapping[str, Any]:
    return replica_set("any", image, 1, 1).template


def plan(snapshot: RolloutSnapshot | None, image: str, changes: tuple[str, ...] | None = ()) -> Step:
    preview = Preview((ObjectPreview("Rollout", "backend", changes),), template(image))
    (step,) = plan_application(SYSTEM, snapshot, preview, image).steps
    return step


def test_a_stable_revision_with_the_same_template_leaves_nothing_to_do() -> None:
    assert plan(at_rest(), STABLE_IMAGE).action is StepAction.NOTHING


def test_a_new_image_is_planned_with_its_canary() -> None:
    step = plan(at_rest(), NEW_IMAGE)
    assert step.action is StepAction.CHANGE
    assert step.changes == (f"image {STABLE_IMAGE} -> {NEW_IMAGE}", "canary at 20 %, then all traffic")


def test_more_pods_of_the_same_image_are_a_change_without_a_canary() -> None:
    step = plan(at_rest(), STABLE_IMAGE, ("spec.replicas",))
    assert (step.action, step.changes) == (StepAction.CHANGE, ("spec.replicas",))


def test_a_first_installation_says_that_it_has_no_canary() -> None:
    step = plan(None, NEW_IMAGE, None)
    assert step.action is StepAction.CREATE
    assert "first installation: no canary" in step.changes[1]


def test_a_recent_revision_that_is_released_again_is_taken_away_for_its_canary() -> None:
    *_, taken_away, canary = plan(done(), STABLE_IMAGE).changes
    assert taken_away == "revision 1 of it is taken away first: the controller would give it all traffic at once"
    assert canary.startswith("canary at ")


def test_an_unfinished_canary_of_the_same_artifact_is_said_to_be_gone_on_with() -> None:
    assert plan(at_pause(), CANARY_IMAGE).changes[-1] == "an unfinished canary of it is gone on with, at step 1"


def test_an_unfinished_canary_of_another_artifact_is_said_to_be_aborted_first() -> None:
    assert plan(at_pause(), NEW_IMAGE).changes[1] == f"an unfinished canary of {CANARY_IMAGE} is aborted first"


def test_an_aborted_canary_of_the_same_artifact_is_not_gone_on_with() -> None:
    assert can_resume(at_pause(), template(CANARY_IMAGE))
    assert not can_resume(aborted(), template(CANARY_IMAGE))


def test_a_canary_has_the_shares_before_it_that_were_not_judged_yet() -> None:
    shares = tuple(step.weight_percent for step in SYSTEM.steps)
    assert weights_ahead(SYSTEM, at_rest(), template(NEW_IMAGE)) == shares
    assert weights_ahead(SYSTEM, at_pause(), template(NEW_IMAGE)) == shares
    assert weights_ahead(SYSTEM, replace(at_pause(), step_index=3), template(CANARY_IMAGE)) == shares[1:]


def test_without_a_canary_no_share_is_ahead() -> None:
    assert weights_ahead(SYSTEM, None, None) == ()
    assert weights_ahead(SYSTEM, at_rest(), template(STABLE_IMAGE)) == ()


def test_an_object_that_applying_would_change_is_named_with_its_paths() -> None:
    objects = (ObjectPreview("Ingress", "front", ("spec.rules",)), ObjectPreview("Rollout", "backend", ()))
    ingress, _ = plan_application(SYSTEM, at_rest(), Preview(objects, template(STABLE_IMAGE)), STABLE_IMAGE).steps
    assert (ingress.name, ingress.action, ingress.changes) == ("Ingress front", StepAction.CHANGE, ("spec.rules",))


def test_everything_is_new_before_there_is_a_cluster() -> None:
    steps = plan_unseen(other_system(), SYSTEM, NEW_IMAGE, "known after EKSStack").steps
    assert {step.action for step in steps} == {StepAction.CREATE}
    assert "known after EKSStack" in next(step for step in steps if step.name == "Rollout shop").changes


def test_bookkeeping_and_status_are_no_changes() -> None:
    live = {"kind": "Service", "metadata": {"name": "a", "resourceVersion": "1"}, "spec": {"ports": [1]}, "status": {}}
    applied = {"kind": "Service", "metadata": {"name": "a", "resourceVersion": "2"}, "spec": {"ports": [1]}}
    assert find_changes(live, applied) == ()
    assert find_changes(live, {**applied, "spec": {"ports": [2]}}) == ("spec.ports",)


def test_an_annotation_is_named_by_its_path() -> None:
    live = {"kind": "Ingress", "metadata": {"annotations": {"scheme": "internal"}}}
    assert find_changes(live, {"kind": "Ingress", "metadata": {"annotations": {}}}) == ("metadata.annotations.scheme",)


def test_a_rollouts_template_is_compared_by_its_revision_alone() -> None:
    live = {"kind": "Rollout", "metadata": {}, "spec": {"template": {"spec": {"dnsPolicy": "ClusterFirst"}}}}
    assert find_changes(live, {"kind": "Rollout", "metadata": {}, "spec": {"template": {}}}) == ()


def test_a_template_is_equal_to_its_revisions_whatever_label_they_carry() -> None:
    labelled = {"metadata": {"labels": {"app": "b", "rollouts-pod-template-hash": "1"}, "creationTimestamp": None}}
    assert clean_template(labelled) == {"metadata": {"labels": {"app": "b"}}}


def test_a_rollout_that_is_not_at_rest_is_not_stable_already() -> None:
    assert is_stable_already(at_rest(), template(STABLE_IMAGE))
    assert not is_stable_already(replace(at_rest(), phase="Degraded"), template(STABLE_IMAGE))


def test_the_window_counts_for_equal_templates_alone() -> None:
    assert window_revisions(done(), template(STABLE_IMAGE))
    assert not window_revisions(done(), template(NEW_IMAGE))


def test_a_canary_is_gone_on_with_at_the_pause_where_it_stands() -> None:
    snapshot = at_pause()
    assert steps_left(snapshot, (AT_20, AT_60)) == (AT_20, AT_60)
    assert steps_left(replace(snapshot, step_index=2), (AT_20, AT_60)) == (AT_60,)
    assert (snapshot.stable_hash, snapshot.current_hash) == (STABLE, CANARY)


def refusals(snapshot: RolloutSnapshot) -> tuple[str, ...]:
    preview = Preview((ObjectPreview("Rollout", "backend", ()),), template(NEW_IMAGE))
    return plan_application(SYSTEM, snapshot, preview, NEW_IMAGE).refusals


def test_a_stable_revision_that_does_not_serve_leaves_nothing_to_compare_a_canary_with() -> None:
    (refusal,) = refusals(replace(at_rest(), phase="Degraded", message="ProgressDeadlineExceeded"))
    assert "Degraded with its stable revision (ProgressDeadlineExceeded)" in refusal


def test_an_aborted_canary_is_no_reason_to_refuse_the_next_release() -> None:
    assert refusals(aborted()) == ()


def test_a_hand_on_the_rollout_is_a_reason_to_refuse() -> None:
    (refusal,) = refusals(replace(at_rest(), is_paused_manually=True))
    assert "set spec.paused to false" in refusal
