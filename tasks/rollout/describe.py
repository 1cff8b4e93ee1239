"""Where a Rollout and its traffic stand: for the journal, and for the person who goes on from there."""

from collections.abc import Iterable
from typing import Any

from delivery.errors import DeliveryError
from delivery.rollout.manifests import RolloutSpec
from delivery.rollout.snapshot import RolloutSnapshot
from delivery.rollout.weights import WeightSource, describe_weight_source, is_not_followed, why_not_weight
from tasks.rollout.live import LiveRollout


def describe_before(snapshot: RolloutSnapshot | None) -> dict[str, Any]:
    """For the journal: which revision has the traffic, and which one is on its way."""
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


def describe_traffic_state(live: LiveRollout) -> str:
    """Where the traffic stays that nobody moves any more, as read back, and the ways on from there.

    It explains an error and raises none of its own.
    """
    try:
        return describe_canary(live)
    except DeliveryError as error:
        name = live.environment.name
        return f"Nobody can tell where the traffic stays ({error}): see slipway status {name}, then go on from there."


def describe_canary(live: LiveRollout) -> str:
    snapshot = live.read()
    if not snapshot.is_unfinished:
        return "No canary is under way."
    share = snapshot.canary_weight_percent
    differing = why_not_weight(live.read_weight_sources(), share)
    stays = f"The canary stays at {share} % of the traffic, read back from the load balancer."
    seen = f"The canary's weight is not in force everywhere: {differing}." if differing else stays
    revision = f" --revision {snapshot.stable.revision}" if snapshot.stable else ""
    back = f"slipway rollback {live.environment.name}{revision} takes it back"
    return (
        f"{seen} Nobody watches it any more, promotes it or takes it back. A release of the same digest goes on from "
        f"there, one of another digest aborts it first; {back}."
    )


def describe_rest(live: LiveRollout) -> str:
    """Where the traffic goes now, and what a person can do."""
    try:
        weight_sources = live.read_weight_sources()
    except DeliveryError as error:
        return f"{describe_unread(error)} {advise_on_rollout(live.rollout_spec)}"
    advice = advise_on_load_balancer if is_not_followed(weight_sources) else advise_on_rollout
    return f"{describe_weights(weight_sources)} {advice(live.rollout_spec)}"


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


def describe_share(live: LiveRollout) -> str:
    """What each witness says of the canary's share; that nobody can tell where they do not answer."""
    try:
        return describe_weights(live.read_weight_sources())
    except DeliveryError as error:
        return describe_unread(error)


def describe_weights(weight_sources: Iterable[WeightSource]) -> str:
    return f"The new revision's share of the traffic: {', '.join(map(describe_weight_source, weight_sources))}."


def describe_unread(error: DeliveryError) -> str:
    return f"The new revision's share of the traffic: nobody can tell ({error})."
