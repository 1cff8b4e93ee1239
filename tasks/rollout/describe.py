"""Where a Rollout and its traffic stand: for the journal, and for the person who goes on from there."""

from collections.abc import Iterable
from typing import Any

from delivery.errors import DeliveryError
from delivery.rollout.manifests import System
from delivery.rollout.snapshot import Reading
from delivery.rollout.weights import Witness, describe_witness, is_not_followed, why_not_weight
from tasks.rollout.live import LiveSystem


def describe_before(reading: Reading | None) -> dict[str, Any]:
    """For the journal: which revision has the traffic, and which one is on its way."""
    if reading is None:
        return {"exists": False, "stable_hash": ""}
    stable = reading.stable
    return {
        "exists": True,
        "stable_hash": reading.stable_hash,
        "stable_image": stable.image if stable else None,
        "stable_revision": stable.revision if stable else None,
        "current_hash": reading.current_hash,
        "step": reading.step_index,
    }


def describe_stand(live: LiveSystem) -> str:
    """Where the traffic stays that nobody moves any more, as read back, and the ways on from there.

    It explains an error and raises none of its own.
    """
    try:
        return describe_canary(live)
    except DeliveryError as error:
        name = live.environment.name
        return f"Nobody can tell where the traffic stays ({error}): see slipway status {name}, then go on from there."


def describe_canary(live: LiveSystem) -> str:
    reading = live.read()
    if not reading.is_unfinished:
        return "No canary is under way."
    share = reading.canary_percent
    differing = why_not_weight(live.call_witnesses(), share)
    stays = f"The canary stays at {share} % of the traffic, read back from the load balancer."
    seen = f"The canary's weight is not in force everywhere: {differing}." if differing else stays
    revision = f" --revision {reading.stable.revision}" if reading.stable else ""
    back = f"slipway roll-back {live.environment.name}{revision} takes it back"
    return (
        f"{seen} Nobody watches it any more, promotes it or takes it back. A release of the same digest goes on from "
        f"there, one of another digest aborts it first; {back}."
    )


def describe_rest(live: LiveSystem) -> str:
    """Where the traffic goes now, and what a person can do."""
    try:
        witnesses = live.call_witnesses()
    except DeliveryError as error:
        return f"{describe_unread(error)} {advise_on_rollout(live.system)}"
    advice = advise_on_load_balancer if is_not_followed(witnesses) else advise_on_rollout
    return f"{describe_shares(witnesses)} {advice(live.system)}"


def advise_on_rollout(system: System) -> str:
    return (
        f"By hand: kubectl argo rollouts get rollout {system.rollout} -n {system.namespace}, then abort or undo it, "
        "and look at the listener rules."
    )


def advise_on_load_balancer(system: System) -> str:
    return (
        f"The load balancer does not follow its Ingress. By hand: kubectl describe ingress {system.ingress} "
        f"-n {system.namespace} says why, kubectl get pods -A -l app.kubernetes.io/name=aws-load-balancer-controller "
        "whether its controller runs; what cannot wait for it is set in the listener rules (aws elbv2 modify-rule)."
    )


def describe_share(live: LiveSystem) -> str:
    """What each witness says of the canary's share; that nobody can tell where they do not answer."""
    try:
        return describe_shares(live.call_witnesses())
    except DeliveryError as error:
        return describe_unread(error)


def describe_shares(witnesses: Iterable[Witness]) -> str:
    return f"The new revision's share of the traffic: {', '.join(map(describe_witness, witnesses))}."


def describe_unread(error: DeliveryError) -> str:
    return f"The new revision's share of the traffic: nobody can tell ({error})."
