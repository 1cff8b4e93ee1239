"""What a simulation has shown, for a person and for a program."""

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from delivery.canary.counts import percent
from delivery.canary.evidence import Policy
from delivery.canary.simulation import Summary, interval
from delivery.canary.synthetic_traffic import Scenario

WIDTH = len("after requests") + 4
# Up to here a time is told in seconds.
TWO_MINUTES = timedelta(minutes=2)


@dataclass(frozen=True)
class Rehearsal:
    """An environment's canary, as far as a simulation needs it. pods: of the whole service.

    overlays: what changed the environment's own file, files and variables.
    """

    environment: str
    policy: Policy
    weights_percent: tuple[int, ...]
    pods: int
    overlays: tuple[str, ...] = ()


@dataclass(frozen=True)
class Simulated:
    """So many healthy releases and as many harmful ones under the same circumstances. scenario: of the harmful ones."""

    rehearsal: Rehearsal
    scenario: Scenario
    seed: int
    healthy: Summary
    harmful: Summary


def as_object(simulated: Simulated) -> dict[str, Any]:
    """Shares are 0.0 to 1.0; `minutes` and `requests` are p50, p90 and p99, null where nothing was found."""
    rehearsal, policy = simulated.rehearsal, simulated.rehearsal.policy
    return {
        "environment": rehearsal.environment,
        "overlays": rehearsal.overlays,
        "weights_percent": rehearsal.weights_percent,
        "pause_seconds": policy.pause.total_seconds(),
        "longest_pause_seconds": policy.longest.total_seconds(),
        "period_seconds": policy.period.total_seconds(),
        "lateness_seconds": policy.lateness.total_seconds(),
        "on_inconclusive": policy.on_inconclusive.value,
        "scenario": asdict(simulated.scenario),
        "seed": simulated.seed,
        "healthy": asdict(simulated.healthy),
        "harmful": asdict(simulated.harmful),
    }


def describe_question(rehearsal: Rehearsal, scenario: Scenario, runs: int) -> tuple[str, ...]:
    """Whose canaries are simulated, and with what traffic; runs: of each kind."""
    return (_canary(rehearsal), _traffic(scenario), _releases(scenario, runs), "")


def describe_answer(simulated: Simulated) -> tuple[str, ...]:
    """A line for each figure; in brackets the 95 % interval of a share, in percent."""
    healthy, harmful = simulated.healthy, simulated.harmful
    return (
        _row("false aborts", f"{_share(healthy.aborted, healthy.runs)} of the healthy releases"),
        _row("inconclusive", f"{_share(healthy.inconclusive, healthy.runs)} of the healthy"),
        _row("", f"{_share(harmful.inconclusive, harmful.runs)} of the harmful"),
        _row("harm found", f"{_share(harmful.aborted, harmful.runs)} of the harmful"),
        _after(harmful.minutes),
        _row("  after requests", _percentiles(harmful.requests)),
        _row("harm promoted", f"{_share(harmful.promoted, harmful.runs)} of the harmful"),
        _row("users harmed", f"{harmful.users_harmed:.1f} by a harmful release, on average"),
        _row("seed", f"{simulated.seed}: the same options with --seed {simulated.seed} give the same releases"),
    )


def _canary(rehearsal: Rehearsal) -> str:
    policy, weights = rehearsal.policy, ", ".join(str(weight) for weight in rehearsal.weights_percent)
    name = (
        f"{rehearsal.environment} with {', '.join(rehearsal.overlays)}" if rehearsal.overlays else rehearsal.environment
    )
    pause, longest, period, lateness = map(_time, (policy.pause, policy.longest, policy.period, policy.lateness))
    return (
        f"{name}: {weights} %, each for {pause} to {longest}, counted every {period} and read {lateness} later; "
        f"without proof then: {policy.on_inconclusive.value}"
    )


def _traffic(scenario: Scenario) -> str:
    """The rate, and what makes it less smooth than it could be."""
    more = (
        (scenario.shock, f"failure rates of both revisions shaken together (sd {scenario.shock:g})"),
        (scenario.burst, f"{scenario.burst_factor:g} times as many in {100 * scenario.burst:g} % of the periods"),
        (scenario.retries, f"each failure retried {scenario.retries} times, in vain"),
        (scenario.lost, f"{100 * scenario.lost:g} % of the periods cannot be read"),
        (scenario.late, f"{100 * scenario.late:g} % of a revision's counts are late at each look"),
        (scenario.bad_pods, f"a pod of the canary fails {100 * scenario.bad_pod_failure_rate:g} % of its requests"),
    )
    return "; ".join([f"{scenario.requests_per_second:g} requests/s", *(text for holds, text in more if holds)])


def _releases(scenario: Scenario, runs: int) -> str:
    stable, canary = f"{100 * scenario.stable_failure_rate:g} %", f"{100 * scenario.canary_failure_rate:g} %"
    return f"{runs} healthy releases (failure rate {stable}) and {runs} harmful ones ({stable} -> {canary})"


def _row(name: str, value: str) -> str:
    return f"{name:<{WIDTH}}{value}"


def _share(value: float, runs: int) -> str:
    """`0.40 % [0.11, 1.45]`."""
    low, high = interval(value, runs)
    return f"{percent(value)} [{100 * low:.2f}, {100 * high:.2f}]"


def _after(minutes: tuple[float, float, float] | None) -> str:
    """In seconds where every figure is short."""
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
        return "none was found"
    p50, p90, p99 = (f"{value:,.4g}" if value < 100 else f"{value:,.0f}" for value in values)
    return f"p50 {p50}, p90 {p90}, p99 {p99}"
