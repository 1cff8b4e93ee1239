"""How often four judges roll back a healthy release, and how soon they detect a harmful one.

    python -m benchmarks.judge --runs 2000
    python -m benchmarks.judge --table detection --seed 42

All judges get the same traffic and are read after every period. In brackets: the 95 % interval (Wilson) of a fraction.
"""

import argparse
import math
import secrets
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from statistics import quantiles

from benchmarks.judges import JUDGES, PERIODS_PER_STEP
from benchmarks.policy import production_policy
from delivery.canary.counts import Counts, Period, format_percent
from delivery.canary.evidence import Evidence
from delivery.canary.simulation import interval, simulate
from delivery.canary.synthetic_traffic import Scenario, count_period
from delivery.canary.verdict import PauseAction, judge_pause

WEIGHTS = (20, 40, 60, 80)
REQUESTS_PER_READING = 600
WITHIN = (2400, 3000, 5400)
# Enough requests for both numbers of periods. A period costs more while requests are missing: a search finds how many.
HEALTHY = (Counts(800, 16), Counts(200, 4))
Traffic = Iterator[tuple[Counts, Counts]]


def main() -> None:
    tables: dict[str, Callable[[int, int], None]] = {
        "weights": print_weights,
        "canaries": print_canaries,
        "pauses": print_pauses,
        "detection": print_detection,
        "speed": print_speed,
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200, help="releases per row")
    parser.add_argument(
        "--seed", type=int, default=None, help="repeats the tables of an earlier run; random by default"
    )
    parser.add_argument("--table", choices=tables, action="append", help="may be repeated; all tables by default")
    options = parser.parse_args()
    seed = secrets.randbits(32) if options.seed is None else options.seed
    print(f"seed {seed}, {options.runs} runs per row")
    for name in options.table or tables:
        began = time.perf_counter()
        tables[name](options.runs, seed)
        print(f"({name}: {time.perf_counter() - began:.0f} s)\n", flush=True)


def print_weights(runs: int, seed: int) -> None:
    """False aborts over 200,000 requests at one weight."""
    print(f"\nFalse aborts, 2 % and 2 %, 200,000 requests read every {REQUESTS_PER_READING}")
    _print_head()
    for weight in (5, 20, 40, 50, 80):
        traffic = _at_weight(Scenario(requests_per_second=REQUESTS_PER_READING / 60), weight)
        readings = 200_000 // REQUESTS_PER_READING
        _print_aborts(f"weight {weight} %", runs, f"{seed}/{weight}", lambda r, t=traffic, n=readings: islice(t(r), n))


def print_canaries(runs: int, seed: int) -> None:
    """False aborts over the 40 minutes of a whole canary."""
    print("\nFalse aborts, 2 % and 2 %, canary of 20, 40, 60 and 80 %, ten minutes each, read every minute")
    _print_head()
    for shock in (0.0, 0.5):
        for rate in (2, 10, 50, 500):
            traffic = _whole_canary(Scenario(requests_per_second=rate, shock=shock))
            _print_aborts(f"{rate} requests/s, shock {shock:g}", runs, f"{seed}/{rate}/{shock}", traffic)


def print_pauses(runs: int, seed: int) -> None:
    """How healthy releases end with this judge and its pauses, which are extended while requests are missing."""
    print("\nHealthy releases with pauses of 10 to 30 minutes, this judge alone")
    print(f"{'':26}{'aborted':>25}{'promoted':>25}{'inconclusive':>25}")
    for shock in (0.0, 0.5):
        for rate in (2, 10, 50, 500):
            random = Random(f"{seed}/pauses/{rate}/{shock}")
            scenario = Scenario(requests_per_second=rate, shock=shock)
            ended = [simulate(scenario, production_policy(), WEIGHTS, random).action for _ in range(runs)]
            counts = [ended.count(PauseAction.ABORT), ended.count(PauseAction.PROMOTE)]
            cells = "".join(f"{describe_fraction(count, runs):>25}" for count in [*counts, runs - sum(counts)])
            print(f"{f'{rate} requests/s, shock {shock:g}':26}{cells}", flush=True)


def print_detection(runs: int, seed: int) -> None:
    """Requests until 2 % -> 5 % is detected at weight 20, and the fractions that are detected within given requests."""
    print(f"\nRequests until 2 % -> 5 % is detected, weight 20 %, read every {REQUESTS_PER_READING}")
    print(f"{'':26}{'p50':>10}{'p90':>10}{'p99':>10}" + "".join(f"{f'within {most:,}':>25}" for most in WITHIN))
    scenario = Scenario(requests_per_second=REQUESTS_PER_READING / 60, canary_failure_rate=0.05)
    for name, judge in JUDGES.items():
        random, took = Random(f"{seed}/detection"), []
        for _ in range(runs):
            periods = islice(_at_weight(scenario, 20)(random), 200_000 // REQUESTS_PER_READING)
            fresh = judge()
            read = next((n for n, (stable, canary) in enumerate(periods, 1) if fresh.aborts(stable, canary)), None)
            took.append(math.inf if read is None else read * REQUESTS_PER_READING)
        cuts = quantiles(took, n=100, method="inclusive")
        within = [describe_fraction(sum(requests <= most for requests in took), runs) for most in WITHIN]
        print(f"{name:26}" + "".join(f"{cuts[n]:>10.0f}" for n in (49, 89, 98)) + "".join(f"{s:>25}" for s in within))


def print_speed(runs: int, seed: int) -> None:
    """The time that the judge needs. runs: how often a period is judged; the minimum is printed."""
    began = time.perf_counter()
    simulate(Scenario(), production_policy(), WEIGHTS, Random(seed))
    print(f"\nA canary of 40 minutes on the virtual clock: {(time.perf_counter() - began) * 1000:.0f} ms")
    for periods in (10, 10_000):
        print(f"Judging one more period after {periods}: {_cost_of_a_period(periods, runs) * 1000:.2f} ms")


def describe_fraction(count: int, runs: int) -> str:
    """`0.40 % [0.19, 0.83]`: the fraction of the runs and its 95 % interval, in percent."""
    low, high = interval(count / runs, runs)
    return f"{format_percent(count / runs)} [{100 * low:.2f}, {100 * high:.2f}]"


def _print_head() -> None:
    print(f"{'':26}" + "".join(f"{name:>25}" for name in JUDGES))


def _print_aborts(row: str, runs: int, seed: str, traffic: Callable[[Random], Traffic]) -> None:
    random, aborted = Random(seed), dict.fromkeys(JUDGES, 0)
    for _ in range(runs):
        undecided = {name: judge() for name, judge in JUDGES.items()}
        for stable, canary in traffic(random):
            for name in [name for name, judge in undecided.items() if judge.aborts(stable, canary)]:
                aborted[name] += 1
                del undecided[name]
    print(f"{row:26}" + "".join(f"{describe_fraction(count, runs):>25}" for count in aborted.values()), flush=True)


def _at_weight(scenario: Scenario, weight_percent: int) -> Callable[[Random], Traffic]:
    def traffic(random: Random) -> Traffic:
        while True:
            yield count_period(scenario, weight_percent, 60, random)

    return traffic


def _whole_canary(scenario: Scenario) -> Callable[[Random], Traffic]:
    def traffic(random: Random) -> Traffic:
        for weight in WEIGHTS:
            yield from islice(_at_weight(scenario, weight)(random), PERIODS_PER_STEP)

    return traffic


def _cost_of_a_period(periods: int, repeats: int) -> float:
    """Seconds to judge one more period after this many, with its message: the minimum of at least 20 repetitions."""
    minute, now = timedelta(minutes=1), datetime(2026, 1, 1, tzinfo=UTC)
    evidence = Evidence.begin(production_policy(), 20, now)
    for _ in range(periods):
        evidence = evidence.observe(Period(now, *HEALTHY))
        now += minute
    costs: list[float] = []
    for _ in range(max(repeats, 20)):
        began = time.perf_counter()
        judge_pause(evidence.observe(Period(now, *HEALTHY)), now + minute)
        costs.append(time.perf_counter() - began)
    return min(costs)


if __name__ == "__main__":
    main()
