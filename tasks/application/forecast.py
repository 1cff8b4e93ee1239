"""Whether the traffic that comes now will do for a release's canary."""

from collections.abc import Sequence
from datetime import UTC, datetime

from clients.aws.metrics import read_requests
from delivery.canary.counts import periods_within
from delivery.canary.evidence import policy_of
from delivery.canary.forecast import Traffic, forecast
from delivery.errors import DeliveryError
from tasks.rollout.live import LiveRollout


def forecast_traffic(live: LiveRollout, weights_percent: Sequence[int]) -> tuple[str, ...]:
    """A sentence for the plan where the traffic before the release will not decide a step, or nobody can tell.

    weights_percent: that the canary has before it. A plan does not fail because of it.
    """
    if not weights_percent:
        return ()
    try:
        hopeless = forecast(policy_of(live.environment.canary), weights_percent, read_traffic(live))
    except DeliveryError as error:
        return (f"It is not known whether the traffic will do for the canary: {error}",)
    return (hopeless,) if hopeless else ()


def read_traffic(live: LiveRollout) -> Traffic:
    """What the load balancer has counted for as long as a pause may take."""
    settings, region = live.environment.canary, live.environment.aws.region
    end = datetime.now(UTC) - settings.lateness
    starts = periods_within(end - policy_of(settings).longest, end, settings.period)
    counts = read_requests(live.find_load_balancer(), region, starts=starts, period=settings.period)
    return Traffic.of(counts, settings.period)
