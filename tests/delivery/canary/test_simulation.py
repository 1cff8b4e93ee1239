from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from delivery.canary.evidence import Policy
from delivery.canary.settings import OnInconclusive
from delivery.canary.simulation import Run, interval, simulate, simulate_many, summarize
from delivery.canary.synthetic_traffic import Scenario
from delivery.canary.verdict import PauseAction
from tests.environments import production_policy

STEPS = (20, 40, 60, 80)
BUSY = Scenario(requests_per_second=50)
POLICY = production_policy()


def run(scenario: Scenario, seed: int = 1, policy: Policy | None = None) -> Run:
    return simulate(scenario, policy or POLICY, STEPS, Random(seed))


def test_a_healthy_release_is_promoted_after_forty_minutes() -> None:
    healthy = run(BUSY)
    assert (healthy.action, healthy.duration) == (PauseAction.PROMOTE, timedelta(minutes=40))
    assert healthy.additional_failures == 0


def test_a_harmful_release_is_aborted_within_minutes() -> None:
    harmful = run(replace(BUSY, canary_failure_rate=0.05))
    assert harmful.action is PauseAction.ABORT
    assert harmful.duration < timedelta(minutes=10)
    assert harmful.additional_failures == pytest.approx(0.03 * 0.2 * harmful.requests, rel=0.1)


def test_the_same_seed_gives_the_same_run() -> None:
    scenario = replace(BUSY, shock=0.5, burst=0.1, lost=0.1, late=0.1, retries=1, bad_pods=1)
    assert run(scenario, seed=7) == run(scenario, seed=7)
    assert run(scenario, seed=7) != run(scenario, seed=8)


def test_a_quiet_service_is_rolled_back_after_the_longest_pause() -> None:
    quiet = run(replace(BUSY, requests_per_second=0.5))
    assert (quiet.action, quiet.duration) == (PauseAction.ROLL_BACK, timedelta(minutes=30))


def test_a_quiet_service_is_promoted_by_the_guide_if_on_inconclusive_is_guide() -> None:
    by_guide = run(replace(BUSY, requests_per_second=0.5), policy=replace(POLICY, on_inconclusive=OnInconclusive.GUIDE))
    assert by_guide.action is PauseAction.PROMOTE_BY_GUIDE


def test_a_weight_that_is_not_applied_is_never_promoted() -> None:
    ended = run(replace(BUSY, honoured=0.0))
    assert ended.action is PauseAction.ROLL_BACK
    assert "sample-ratio mismatch" in ended.reason


def test_a_release_without_any_readable_counts_is_never_promoted() -> None:
    assert run(replace(BUSY, lost=1.0)).action is PauseAction.ROLL_BACK


def test_one_bad_pod_of_the_canary_aborts_a_healthy_release() -> None:
    bad = run(replace(BUSY, pods=30, bad_pods=1))
    assert bad.action is PauseAction.ABORT
    assert bad.additional_failures > 0


def test_counts_that_are_read_later_delay_the_abort() -> None:
    harmful = replace(BUSY, canary_failure_rate=0.5)
    at_once = run(harmful, policy=replace(POLICY, lateness=timedelta()))
    later = run(harmful, policy=replace(POLICY, lateness=timedelta(minutes=2)))
    assert later.duration - at_once.duration == timedelta(minutes=2)


def test_a_release_whose_counts_are_always_late_is_never_promoted() -> None:
    ended = run(replace(BUSY, late=1.0))
    assert ended.action is PauseAction.ROLL_BACK
    assert "no requests were counted" in ended.reason


def test_a_few_late_or_lost_counts_do_not_abort_a_healthy_release() -> None:
    ended = simulate_many(replace(BUSY, late=0.02, lost=0.1), POLICY, STEPS, runs=20, seed="late")
    assert (ended.aborted, ended.promoted) == (0, 1)


def test_a_shock_to_both_revisions_does_not_abort_a_healthy_release() -> None:
    assert simulate_many(replace(BUSY, shock=0.5), POLICY, STEPS, runs=20, seed="shock").promoted == 1


def test_with_bursts_of_requests_harm_is_detected_sooner() -> None:
    harmful = replace(BUSY, requests_per_second=5, canary_failure_rate=0.05)
    assert run(replace(harmful, burst=1.0)).duration < run(harmful).duration


def test_the_simulation_shows_that_the_guarantee_does_not_apply_to_retries() -> None:
    retried = replace(BUSY, retries=3)
    assert simulate_many(retried, POLICY, STEPS, runs=40, seed="retries").aborted > 0.01


def test_a_release_of_a_seed_does_not_depend_on_the_number_of_releases() -> None:
    harmful = replace(BUSY, canary_failure_rate=0.05)
    alone = simulate(harmful, POLICY, STEPS, Random("7/0"))
    assert simulate_many(harmful, POLICY, STEPS, runs=1, seed="7").additional_failures == alone.additional_failures
    first_two = [simulate(harmful, POLICY, STEPS, Random(f"7/{n}")) for n in range(2)]
    assert simulate_many(harmful, POLICY, STEPS, runs=2, seed="7") == summarize(first_two)


def test_a_promotion_by_the_guide_counts_as_inconclusive_and_as_promoted() -> None:
    by_guide = replace(POLICY, on_inconclusive=OnInconclusive.GUIDE)
    ended = simulate_many(replace(BUSY, requests_per_second=0.5), by_guide, (20,), runs=10, seed="guide")
    assert ended.inconclusive == 1
    assert ended.promoted > 0


def test_a_summary_has_the_fractions_of_endings_and_the_percentiles_of_aborts() -> None:
    def ended(action: PauseAction, minutes: int) -> Run:
        return Run(action, timedelta(minutes=minutes), minutes * 100, 2.0, action is PauseAction.AWAIT_APPROVAL, "")

    summary = summarize(
        [
            ended(PauseAction.ABORT, 1),
            ended(PauseAction.ABORT, 3),
            ended(PauseAction.PROMOTE, 40),
            ended(PauseAction.AWAIT_APPROVAL, 30),
        ]
    )
    assert (summary.aborted, summary.promoted, summary.inconclusive) == (0.5, 0.25, 0.25)
    assert summary.minutes == pytest.approx((2.0, 2.8, 2.98))
    assert summary.requests == pytest.approx((200, 280, 298))
    assert summary.additional_failures == 2.0


def test_without_aborts_a_summary_has_no_percentiles() -> None:
    assert summarize([run(BUSY)]).minutes is None


@pytest.mark.parametrize(
    ("fraction", "runs", "expected"),
    [
        (0.0, 2000, (0.0, 0.00192)),
        (0.004, 2000, (0.00203, 0.00788)),
        (0.5, 10, (0.2366, 0.7634)),
        (1.0, 1, (0.2065, 1)),
    ],
)
def test_a_fraction_has_the_interval_of_wilson(fraction: float, runs: int, expected: tuple[float, float]) -> None:
    """The values are computed with the formula of Wilson, 1927."""
    assert interval(fraction, runs) == pytest.approx(expected, abs=2e-4)
