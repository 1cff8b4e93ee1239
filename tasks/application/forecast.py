"""Whether the present traffic is enough for the canary of a release."""

from collections.abc import Sequence
from datetime import UTC, datetime

from clients.aws.metrics import read_requests
from delivery.canary.counts import periods_within
from delivery.canary.evidence import policy_of
from delivery.canary.forecast import Traffic, forecast
from delivery.errors import DeliveryError
from tasks.rollout.live import LiveRollout


def forecast_traffic(live: LiveRollout, weights_percent: Sequence[int]) -> tuple[str, ...]:
    """A sentence for the plan if the traffic will not be enough for a verdict, or is unknown. Empty otherwise.

    weights_percent: of the canary steps that remain.
    """
    if not weights_percent:
        return ()
    try:
        finding = forecast(policy_of(live.environment.canary), weights_percent, read_traffic(live))
    except DeliveryError as error:
        return (f"It is unknown whether the traffic is enough for the canary: {error}",)
    return (finding,) if finding else ()


def read_traffic(live: LiveRollout) -> Traffic:
    """The requests that the load balancer counted, over the longest duration of a pause."""
    settings, region = live.environment.canary, live.environment.aws.region
    end = datetime.now(UTC) - settings.lateness
    starts = periods_within(end - policy_of(settings).longest_pause, end, settings.period)
    counts = read_requests(live.find_load_balancer(), region, starts=starts, period=settings.period)
    return Traffic.of(counts, settings.period)
