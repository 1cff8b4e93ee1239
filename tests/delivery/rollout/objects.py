"""Snapshots of a Rollout with three pods, in each state of a rollout."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from delivery.rollout.manifests import CanaryStep
from delivery.rollout.snapshot import Condition, Pod, ReplicaSet, RolloutSnapshot, Weights

STABLE, CANARY = "66d4", "7c9f"
STABLE_IMAGE, CANARY_IMAGE = "registry/backend@sha256:aa", "registry/backend@sha256:bb"
STEPS: tuple[Mapping[str, Any], ...] = ({"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {}})
AT_20, AT_60 = CanaryStep(1, 20), CanaryStep(3, 60)


def replica_set(pod_hash: str, image: str, revision: int, available: int) -> ReplicaSet:
    return ReplicaSet(
        name=f"backend-{pod_hash}",
        hash=pod_hash,
        revision=revision,
        image=image,
        available=available,
        created_at=f"2026-11-24T12:0{revision}:00Z",
        template={"metadata": {"labels": {"app": "backend"}}, "spec": {"containers": [{"image": image}]}},
    )


def pod(pod_hash: str, image: str, failure: str | None = None) -> Pod:
    return Pod(f"backend-{pod_hash}-x", pod_hash, (image,), is_ready=failure is None, restarts=0, failure=failure)


def idle() -> RolloutSnapshot:
    """The stable revision has all traffic, and no canary is under way."""
    return RolloutSnapshot(
        name="backend",
        namespace="demo",
        resource_version="10",
        generation=4,
        observed_generation="4",
        replicas=3,
        steps=STEPS,
        phase="Healthy",
        message="",
        step_index=len(STEPS),
        current_hash=STABLE,
        stable_hash=STABLE,
        pause_reasons=(),
        is_paused_by_controller=False,
        is_paused_manually=False,
        is_abort_requested=False,
        aborted_at=None,
        conditions={"Healthy": Condition("True", "RolloutHealthy"), "Progressing": Condition("True")},
        weights=Weights(0, "", 100, STABLE),
        rollback_window=3,
        replica_sets=(replica_set(STABLE, STABLE_IMAGE, 1, 3),),
        pods=(pod(STABLE, STABLE_IMAGE),),
    )


def at_pause() -> RolloutSnapshot:
    """The second revision has one pod and is at the pause at 20 %."""
    return replace(
        idle(),
        phase="Paused",
        message="CanaryPauseStep",
        step_index=1,
        current_hash=CANARY,
        pause_reasons=("CanaryPauseStep",),
        is_paused_by_controller=True,
        conditions={"Healthy": Condition("False"), "Progressing": Condition("Unknown", "RolloutPaused")},
        weights=Weights(20, CANARY, 80, STABLE),
        replica_sets=(replica_set(CANARY, CANARY_IMAGE, 2, 1), replica_set(STABLE, STABLE_IMAGE, 1, 3)),
        pods=(pod(CANARY, CANARY_IMAGE), pod(STABLE, STABLE_IMAGE)),
    )


def aborted() -> RolloutSnapshot:
    """The canary was aborted at 20 %. Its template is still in the Rollout."""
    return replace(
        at_pause(),
        phase="Degraded",
        message="RolloutAborted: Rollout aborted update to revision 2",
        step_index=0,
        pause_reasons=(),
        is_paused_by_controller=False,
        is_abort_requested=True,
        aborted_at="2026-11-24T12:05:00Z",
        conditions={"Progressing": Condition("False", "RolloutAborted", "Rollout aborted update to revision 2")},
        weights=Weights(0, CANARY, 100, STABLE),
    )


def done() -> RolloutSnapshot:
    """The second revision has all traffic and all pods. The first revision has no pods."""
    return replace(
        idle(),
        generation=5,
        observed_generation="5",
        current_hash=CANARY,
        stable_hash=CANARY,
        weights=Weights(0, "", 100, CANARY),
        replica_sets=(replica_set(CANARY, CANARY_IMAGE, 2, 3), replica_set(STABLE, STABLE_IMAGE, 1, 0)),
    )
