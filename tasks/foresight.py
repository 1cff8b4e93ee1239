"""Whether the traffic that comes now will do for a release's canary."""

from collections.abc import Sequence
from datetime import UTC, datetime

from clients.metrics import read_request_rate
from delivery.canary import periods_within
from delivery.errors import DeliveryError
from delivery.evidence import policy_of
from delivery.foresight import foresee
from tasks.systems import LiveSystem


def foresee_traffic(live: LiveSystem, weights_percent: Sequence[int]) -> tuple[str, ...]:
    """A sentence for the plan where the traffic of the last pause's length will not decide a step; empty where it will.

    weights_percent: that the canary has before it. A plan does not fail because nobody can tell.
    """
    if not weights_percent:
        return ()
    try:
        hopeless = foresee(policy_of(live.environment.canary), weights_percent, read_traffic(live))
    except DeliveryError as error:
        return (f"It is not known whether the traffic will do for the canary: {error}",)
    return (hopeless,) if hopeless else ()


def read_traffic(live: LiveSystem) -> float:
    """Requests per second at the load balancer, over as long as a pause may take."""
    settings = live.environment.canary
    end = datetime.now(UTC) - settings.lateness
    starts = periods_within(end - policy_of(settings).longest, end, settings.period)
    return read_request_rate(
        live.find_load_balancer(), live.environment.aws.region, starts=starts, period=settings.period
    )
