"""The result of a simulation, as lines for a person and as a JSON object."""

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from delivery.canary.counts import format_percent
from delivery.canary.evidence import Policy
from delivery.canary.simulation import Summary, interval
from delivery.canary.synthetic_traffic import Scenario

WIDTH = len("after requests") + 4
# Shorter times are printed in seconds.
TWO_MINUTES = timedelta(minutes=2)


@dataclass(frozen=True)
class CanarySetup:
    """What a simulation needs to know of an environment's canary. pods: of the whole service.

    overlays: the files and variables that changed the environment's own file.
    """

    environment_name: str
    policy: Policy
    weights_percent: tuple[int, ...]
    pods: int
    overlays: tuple[str, ...] = ()


@dataclass(frozen=True)
class Simulation:
    """The same number of healthy and of harmful releases under the same conditions. scenario: of the harmful ones."""

    setup: CanarySetup
    scenario: Scenario
    seed: int
    healthy: Summary
    harmful: Summary


def as_object(simulation: Simulation) -> dict[str, Any]:
    """Fractions are 0.0 to 1.0. `minutes` and `requests` are p50, p90 and p99, or null without aborts."""
    setup, policy = simulation.setup, simulation.setup.policy
    return {
        "environment": setup.environment_name,
        "overlays": setup.overlays,
        "weights_percent": setup.weights_percent,
        "pause_seconds": policy.pause.total_seconds(),
        "longest_pause_seconds": policy.longest_pause.total_seconds(),
        "period_seconds": policy.period.total_seconds(),
        "lateness_seconds": policy.lateness.total_seconds(),
        "on_inconclusive": policy.on_inconclusive.value,
        "scenario": asdict(simulation.scenario),
        "seed": simulation.seed,
        "healthy": asdict(simulation.healthy),
        "harmful": asdict(simulation.harmful),
    }


def describe_setup(setup: CanarySetup, scenario: Scenario, runs: int) -> tuple[str, ...]:
    """The environment, the traffic and the releases. runs: of each kind."""
    return (_canary(setup), _traffic(scenario), _releases(scenario, runs), "")


def describe_result(simulation: Simulation) -> tuple[str, ...]:
    """A line for each figure. In brackets: the 95 % interval of a fraction, in percent."""
    healthy, harmful = simulation.healthy, simulation.harmful
    return (
        _row("false aborts", f"{_fraction(healthy.aborted, healthy.runs)} of the healthy releases"),
        _row("inconclusive", f"{_fraction(healthy.inconclusive, healthy.runs)} of the healthy releases"),
        _row("", f"{_fraction(harmful.inconclusive, harmful.runs)} of the harmful releases"),
        _row("harm detected", f"{_fraction(harmful.aborted, harmful.runs)} of the harmful releases"),
        _after(harmful.minutes),
        _row("  after requests", _percentiles(harmful.requests)),
        _row("harm promoted", f"{_fraction(harmful.promoted, harmful.runs)} of the harmful releases"),
        _row("failed requests", f"{harmful.additional_failures:.1f} additional ones per harmful release, on average"),
        _row("seed", f"{simulation.seed}: the same options with --seed {simulation.seed} give the same releases"),
    )


def _canary(setup: CanarySetup) -> str:
    policy, weights = setup.policy, ", ".join(str(weight_percent) for weight_percent in setup.weights_percent)
    overlays = f" with {', '.join(setup.overlays)}" if setup.overlays else ""
    pause, longest, period, lateness = map(_time, (policy.pause, policy.longest_pause, policy.period, policy.lateness))
    return (
        f"{setup.environment_name}{overlays}: {weights} %, each for {pause} to {longest}, counted every {period} and "
        f"read {lateness} later; without proof: {policy.on_inconclusive.value}"
    )


def _traffic(scenario: Scenario) -> str:
    """The rate, and what makes the traffic irregular."""
    irregularities = (
        (scenario.shock, f"failure rates of both revisions vary together (standard deviation {scenario.shock:g})"),
        (scenario.burst, f"{scenario.burst_factor:g} times as many in {100 * scenario.burst:g} % of the periods"),
        (scenario.retries, f"retries of each failed request: {scenario.retries}, all of which fail"),
        (scenario.lost, f"{100 * scenario.lost:g} % of the periods cannot be read"),
        (scenario.late, f"{100 * scenario.late:g} % of a revision's counts are late at each read"),
        (scenario.bad_pods, f"one pod of the canary fails {100 * scenario.bad_pod_failure_rate:g} % of its requests"),
    )
    rate = f"{scenario.requests_per_second:g} requests/s"
    return "; ".join([rate, *(text for applies, text in irregularities if applies)])


def _releases(scenario: Scenario, runs: int) -> str:
    stable, canary = f"{100 * scenario.stable_failure_rate:g} %", f"{100 * scenario.canary_failure_rate:g} %"
    return f"{runs} healthy releases (failure rate {stable}) and {runs} harmful ones ({stable} -> {canary})"


def _row(name: str, value: str) -> str:
    return f"{name:<{WIDTH}}{value}"


def _fraction(value: float, runs: int) -> str:
    """`0.40 % [0.11, 1.45]`."""
    low, high = interval(value, runs)
    return f"{format_percent(value)} [{100 * low:.2f}, {100 * high:.2f}]"


def _after(minutes: tuple[float, float, float] | None) -> str:
    """In seconds if all three times are short."""
    if minutes and max(minutes) < TWO_MINUTES / timedelta(minutes=1):
        p50, p90, p99 = (60 * value for value in minutes)
        return _row("  after seconds", _percentiles((p50, p90, p99)))
    return _row("  after minutes", _percentiles(minutes))


def _time(length: timedelta) -> str:
    """`15 s`, `10 min`, `2.5 min`."""
    seconds = length.total_seconds()
    return f"{seconds:g} s" if length < TWO_MINUTES else f"{seconds / 60:.4g} min"


def _percentiles(values: tuple[float, float, float] | None) -> str:
    if values is None:
        return "no aborts"
    p50, p90, p99 = (f"{value:,.4g}" if value < 100 else f"{value:,.0f}" for value in values)
    return f"p50 {p50}, p90 {p90}, p99 {p99}"
