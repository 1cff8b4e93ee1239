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
    plan_new_application,
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
    done,
    idle,
    replica_set,
)
from tests.delivery.rollout.test_manifests import other_system
from tests.delivery.rollout.test_weights import ROLLOUT_SPEC

NEW_IMAGE = "registry/backend@sha256:cc"


def template(image: str) -> Mapping[str, Any]:
    return replica_set("any", image, 1, 1).template


def plan(snapshot: RolloutSnapshot | None, image: str, changes: tuple[str, ...] | None = ()) -> Step:
    preview = Preview((ObjectPreview("Rollout", "backend", changes),), template(image))
    (step,) = plan_application(ROLLOUT_SPEC, snapshot, preview, image, "production").steps
    return step


def test_a_stable_revision_with_the_same_template_leaves_nothing_to_do() -> None:
    assert plan(idle(), STABLE_IMAGE).action is StepAction.NOTHING


def test_a_new_image_is_planned_with_its_canary() -> None:
    step = plan(idle(), NEW_IMAGE)
    assert step.action is StepAction.CHANGE
    assert step.changes == (f"image {STABLE_IMAGE} -> {NEW_IMAGE}", "canary at 20 %, then all traffic")


def test_more_pods_of_the_same_image_are_a_change_without_a_canary() -> None:
    step = plan(idle(), STABLE_IMAGE, ("spec.replicas",))
    assert (step.action, step.changes) == (StepAction.CHANGE, ("spec.replicas",))


def test_a_first_installation_says_that_it_has_no_canary() -> None:
    step = plan(None, NEW_IMAGE, None)
    assert step.action is StepAction.CREATE
    assert "first installation: no canary" in step.changes[1]


def test_the_replica_set_of_a_recent_revision_is_deleted_for_its_canary() -> None:
    *_, deletion, canary = plan(done(), STABLE_IMAGE).changes
    assert deletion == "deletes the ReplicaSet of revision 1 first, so that the canary steps run"
    assert canary.startswith("canary at ")


def test_the_plan_says_that_an_unfinished_canary_of_the_same_artifact_is_resumed() -> None:
    assert plan(at_pause(), CANARY_IMAGE).changes[-1] == "an unfinished canary of this image is resumed at step 1"


def test_the_plan_says_that_an_unfinished_canary_of_another_artifact_is_aborted_first() -> None:
    assert plan(at_pause(), NEW_IMAGE).changes[1] == f"an unfinished canary of {CANARY_IMAGE} is aborted first"


def test_an_aborted_canary_of_the_same_artifact_is_not_resumed() -> None:
    assert can_resume(at_pause(), template(CANARY_IMAGE))
    assert not can_resume(aborted(), template(CANARY_IMAGE))


def test_the_weights_ahead_are_those_that_were_not_judged_yet() -> None:
    weights = tuple(step.weight_percent for step in ROLLOUT_SPEC.steps)
    assert weights_ahead(ROLLOUT_SPEC, idle(), template(NEW_IMAGE)) == weights
    assert weights_ahead(ROLLOUT_SPEC, at_pause(), template(NEW_IMAGE)) == weights
    assert weights_ahead(ROLLOUT_SPEC, replace(at_pause(), step_index=3), template(CANARY_IMAGE)) == weights[1:]


def test_without_a_canary_no_weight_is_ahead() -> None:
    assert weights_ahead(ROLLOUT_SPEC, None, None) == ()
    assert weights_ahead(ROLLOUT_SPEC, idle(), template(STABLE_IMAGE)) == ()


def test_an_object_that_would_change_is_named_with_its_paths() -> None:
    objects = (ObjectPreview("Ingress", "front", ("spec.rules",)), ObjectPreview("Rollout", "backend", ()))
    ingress, _ = plan_application(
        ROLLOUT_SPEC, idle(), Preview(objects, template(STABLE_IMAGE)), STABLE_IMAGE, "production"
    ).steps
    assert (ingress.name, ingress.action, ingress.changes) == ("Ingress front", StepAction.CHANGE, ("spec.rules",))


def test_without_a_cluster_all_objects_are_created() -> None:
    steps = plan_new_application(
        other_system(), ROLLOUT_SPEC, NEW_IMAGE, "changes are known after EKSStack is deployed"
    ).steps
    assert {step.action for step in steps} == {StepAction.CREATE}
    assert (
        "changes are known after EKSStack is deployed"
        in next(step for step in steps if step.name == "Rollout shop").changes
    )


def test_metadata_of_the_api_server_and_status_are_not_changes() -> None:
    live = {"kind": "Service", "metadata": {"name": "a", "resourceVersion": "1"}, "spec": {"ports": [1]}, "status": {}}
    applied = {"kind": "Service", "metadata": {"name": "a", "resourceVersion": "2"}, "spec": {"ports": [1]}}
    assert find_changes(live, applied) == ()
    assert find_changes(live, {**applied, "spec": {"ports": [2]}}) == ("spec.ports",)


def test_an_annotation_is_named_by_its_path() -> None:
    live = {"kind": "Ingress", "metadata": {"annotations": {"scheme": "internal"}}}
    assert find_changes(live, {"kind": "Ingress", "metadata": {"annotations": {}}}) == ("metadata.annotations.scheme",)


def test_the_template_of_a_rollout_is_not_compared_with_its_objects() -> None:
    live = {"kind": "Rollout", "metadata": {}, "spec": {"template": {"spec": {"dnsPolicy": "ClusterFirst"}}}}
    assert find_changes(live, {"kind": "Rollout", "metadata": {}, "spec": {"template": {}}}) == ()


def test_a_template_is_compared_without_the_hash_label() -> None:
    labelled = {"metadata": {"labels": {"app": "b", "rollouts-pod-template-hash": "1"}, "creationTimestamp": None}}
    assert clean_template(labelled) == {"metadata": {"labels": {"app": "b"}}}


def test_a_rollout_that_is_not_idle_is_not_stable_already() -> None:
    assert is_stable_already(idle(), template(STABLE_IMAGE))
    assert not is_stable_already(replace(idle(), phase="Degraded"), template(STABLE_IMAGE))


def test_only_revisions_of_the_same_template_are_window_revisions() -> None:
    assert window_revisions(done(), template(STABLE_IMAGE))
    assert not window_revisions(done(), template(NEW_IMAGE))


def test_a_canary_is_resumed_at_its_current_pause() -> None:
    snapshot = at_pause()
    assert steps_left(snapshot, (AT_20, AT_60)) == (AT_20, AT_60)
    assert steps_left(replace(snapshot, step_index=2), (AT_20, AT_60)) == (AT_60,)
    assert (snapshot.stable_hash, snapshot.current_hash) == (STABLE, CANARY)


def refusals(snapshot: RolloutSnapshot) -> tuple[str, ...]:
    preview = Preview((ObjectPreview("Rollout", "backend", ()),), template(NEW_IMAGE))
    return plan_application(ROLLOUT_SPEC, snapshot, preview, NEW_IMAGE, "production").refusals


def test_a_degraded_stable_revision_is_a_reason_to_refuse() -> None:
    (refusal,) = refusals(replace(idle(), phase="Degraded", message="ProgressDeadlineExceeded"))
    assert (
        "is Degraded and has no canary (ProgressDeadlineExceeded). Roll back: slipway rollback production;" in refusal
    )


def test_an_aborted_canary_is_not_a_reason_to_refuse() -> None:
    assert refusals(aborted()) == ()


def test_a_manual_pause_is_a_reason_to_refuse() -> None:
    (refusal,) = refusals(replace(idle(), is_paused_manually=True))
    assert "Set spec.paused to false" in refusal
