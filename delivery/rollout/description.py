"""The state of a Rollout and its traffic: for the journal, and in messages with what a person can do next."""

from collections.abc import Iterable, Sequence
from typing import Any

from delivery.errors import DeliveryError
from delivery.rollout.manifests import RolloutSpec
from delivery.rollout.snapshot import RolloutSnapshot
from delivery.rollout.weights import WeightSource, describe_weight_source, is_load_balancer_behind, why_not_weight


def describe_for_journal(snapshot: RolloutSnapshot | None) -> dict[str, Any]:
    """The detail of a journal record: which revision is stable, and which one is in the template.

    stable_revision is the number of a revision. stable_hash and current_hash are pod-template hashes.
    """
    if snapshot is None:
        return {"exists": False, "stable_hash": ""}
    stable = snapshot.stable
    return {
        "exists": True,
        "stable_hash": snapshot.stable_hash,
        "stable_image": stable.image if stable else None,
        "stable_revision": stable.revision if stable else None,
        "current_hash": snapshot.current_hash,
        "step": snapshot.step_index,
    }


def describe_unfinished_canary(
    environment_name: str, snapshot: RolloutSnapshot, weight_sources: Sequence[WeightSource]
) -> str:
    """The weight of a canary that is not monitored, and the commands that finish it."""
    weight_percent = snapshot.canary_weight_percent
    state = f"The canary has {weight_percent} % of the traffic, confirmed at the load balancer, and is not monitored."
    if differing := why_not_weight(weight_sources, weight_percent):
        state = f"The canary is not monitored, and its weight is not confirmed: {differing}."
    digest = snapshot.current.artifact_digest if snapshot.current and not snapshot.is_abort_requested else ""
    resume = f" To continue: slipway release {environment_name} --digest {digest}." if digest else ""
    revision = f" --revision {snapshot.stable.revision}" if snapshot.stable else ""
    return f"{state}{resume} To roll back: slipway rollback {environment_name}{revision}."


def describe_weights_and_advice(rollout_spec: RolloutSpec, weight_sources: Sequence[WeightSource]) -> str:
    """What each weight source states, and what a person can do next."""
    advice = advise_on_load_balancer if is_load_balancer_behind(weight_sources) else advise_on_rollout
    return f"{describe_weights(weight_sources)} {advice(rollout_spec)}"


def describe_weights(weight_sources: Iterable[WeightSource]) -> str:
    return f"Weight of the new revision: {', '.join(map(describe_weight_source, weight_sources))}."


def describe_unknown_weights(error: DeliveryError) -> str:
    return f"Weight of the new revision: unknown ({str(error).rstrip('.')})."


def advise_on_rollout(rollout_spec: RolloutSpec) -> str:
    return (
        "To fix it manually: "
        f"kubectl argo rollouts get rollout {rollout_spec.rollout} -n {rollout_spec.namespace}, then "
        "abort or undo it, and check the listener rules."
    )


def advise_on_load_balancer(rollout_spec: RolloutSpec) -> str:
    return (
        "The load balancer does not follow its Ingress. "
        f"For the reason: kubectl describe ingress {rollout_spec.ingress} "
        f"-n {rollout_spec.namespace}. To see whether its controller runs: kubectl get pods -A -l "
        "app.kubernetes.io/name=aws-load-balancer-controller. To set the weights at once: aws elbv2 modify-rule."
    )
