"""Where the traffic is now, as sentences for an error message. None of these functions raises a DeliveryError."""

from delivery.errors import DeliveryError
from delivery.rollout.description import (
    advise_on_rollout,
    describe_unfinished_canary,
    describe_unknown_weights,
    describe_weights,
    describe_weights_and_advice,
)
from tasks.rollout.live import LiveRollout


def describe_traffic_state(live: LiveRollout) -> str:
    """The canary that is left without a process that watches it, and how to continue."""
    name = live.environment.name
    try:
        snapshot = live.read()
        if not snapshot.is_unfinished:
            return "No canary is under way."
        return describe_unfinished_canary(name, snapshot, live.read_weight_sources())
    except DeliveryError as error:
        return f"Traffic split unknown: {error} To read it: slipway status {name}."


def describe_traffic_and_advice(live: LiveRollout) -> str:
    """What each weight source states, and what a person can do next."""
    try:
        return describe_weights_and_advice(live.rollout_spec, live.read_weight_sources())
    except DeliveryError as error:
        return f"{describe_unknown_weights(error)} {advise_on_rollout(live.rollout_spec)}"


def describe_current_weights(live: LiveRollout) -> str:
    """What each weight source states."""
    try:
        return describe_weights(live.read_weight_sources())
    except DeliveryError as error:
        return describe_unknown_weights(error)
