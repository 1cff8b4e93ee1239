"""A Rollout of three pods at each point of its way, as the controller's status tells it."""

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


def pod(pod_hash: str, image: str, trouble: str | None = None) -> Pod:
    return Pod(f"backend-{pod_hash}-x", pod_hash, (image,), is_ready=trouble is None, restarts=0, trouble=trouble)


def at_rest() -> RolloutSnapshot:
    """All traffic on the stable revision, which has been Healthy for long."""
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
        is_abort_asked=False,
        aborted_at=None,
        conditions={"Healthy": Condition("True", "RolloutHealthy"), "Progressing": Condition("True")},
        weights=Weights(0, "", 100, STABLE),
        rollback_window=3,
        replica_sets=(replica_set(STABLE, STABLE_IMAGE, 1, 3),),
        pods=(pod(STABLE, STABLE_IMAGE),),
    )


def at_pause() -> RolloutSnapshot:
    """The second revision waits at the pause of 20 %, with its one pod."""
    return replace(
        at_rest(),
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
    """The canary was aborted at 20 %; its template is still the one that is asked for."""
    return replace(
        at_pause(),
        phase="Degraded",
        message="RolloutAborted: Rollout aborted update to revision 2",
        step_index=0,
        pause_reasons=(),
        is_paused_by_controller=False,
        is_abort_asked=True,
        aborted_at="2026-11-24T12:05:00Z",
        conditions={"Progressing": Condition("False", "RolloutAborted", "Rollout aborted update to revision 2")},
        weights=Weights(0, CANARY, 100, STABLE),
    )


def done() -> RolloutSnapshot:
    """The second revision has all traffic and every pod, and the first one's pods are gone."""
    return replace(
        at_rest(),
        generation=5,
        observed_generation="5",
        current_hash=CANARY,
        stable_hash=CANARY,
        weights=Weights(0, "", 100, CANARY),
        replica_sets=(replica_set(CANARY, CANARY_IMAGE, 2, 3), replica_set(STABLE, STABLE_IMAGE, 1, 0)),
    )
