"""`slipway simulate`: how the canaries of an environment would end, with its steps, pauses and judge."""

import json
from collections.abc import Sequence
from dataclasses import replace
from random import SystemRandom
from typing import Annotated

import typer

from blocks.settings import load_canary_settings, overlays_of
from cli.screen import Screen
from clients.manifests import read_manifests
from delivery.canary.evidence import policy_of
from delivery.canary.simulation import Summary, simulate_many
from delivery.canary.simulation_text import CanarySetup, Simulation, as_object, describe_result, describe_setup
from delivery.canary.synthetic_traffic import Scenario
from delivery.errors import SettingsError
from delivery.rollout.manifests import parse_manifests, parse_rollout_spec

EnvironmentName = Annotated[
    str, typer.Option("--environment", help="Use the steps, pauses and judge of this environment.")
]
Rate = Annotated[float, typer.Option(min=0.001, max=1_000_000, help="Requests per second of both revisions together.")]
Baseline = Annotated[
    float | None,
    typer.Option(
        min=0.0, max=1.0, help="Failure rate of the stable revision; by default that of `minimum_detectable_effect`."
    ),
]
HarmRate = Annotated[
    float | None,
    typer.Option(
        "--harm",
        min=0.0,
        max=1.0,
        help="Failure rate of a harmful canary; by default that of `minimum_detectable_effect`.",
    ),
]
Shock = Annotated[
    float,
    typer.Option(
        min=0.0, max=5.0, help="Standard deviation of log(failure rate) per period, shared by both revisions."
    ),
]
Bursts = Annotated[float, typer.Option(min=0.0, max=1.0, help="Fraction of periods with five times the requests.")]
Retries = Annotated[int, typer.Option(min=0, max=100, help="Retries of each failed request, all of which fail.")]
Lost = Annotated[float, typer.Option(min=0.0, max=1.0, help="Fraction of periods whose counts cannot be read.")]
Late = Annotated[
    float,
    typer.Option(min=0.0, max=1.0, help="Probability at each read that a revision's counts are not there yet."),
]
BadPod = Annotated[bool, typer.Option("--bad-pod", help="One pod of the canary fails half of its requests.")]
Runs = Annotated[int, typer.Option(min=1, help="Number of healthy releases, and of harmful ones.")]
Seed = Annotated[
    int | None, typer.Option(min=0, help="Repeats the releases of an earlier simulation; random by default.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def simulate(
    environment_name: EnvironmentName = "production",
    rate: Rate = 50.0,
    baseline: Baseline = None,
    harm: HarmRate = None,
    shock: Shock = 0.0,
    bursts: Bursts = 0.0,
    retries: Retries = 0,
    lost: Lost = 0.0,
    late: Late = 0.0,
    bad_pod: BadPod = False,
    runs: Runs = 500,
    seed: Seed = None,
    as_json: AsJson = False,
) -> None:
    """Simulate how the canaries of an environment would end.

    Runs on a virtual clock and reports false aborts, the time until harm is detected, and inconclusive releases. It
    needs neither AWS nor Prefect, and changes nothing. Rates, fractions and probabilities are 0.0 to 1.0.
    """
    setup, irregular = prepare(environment_name), Scenario(rate, shock=shock, burst=bursts, retries=retries)
    scenario = replace(irregular, lost=lost, late=late, pods=setup.pods, bad_pods=int(bad_pod))
    show(setup, with_rates(scenario, setup, baseline, harm), runs, choose_seed(seed), as_json=as_json)


def with_rates(scenario: Scenario, setup: CanarySetup, baseline: float | None, harm: float | None) -> Scenario:
    """The scenario of a harmful release. Missing failure rates are those of the minimum detectable effect."""
    effect = setup.policy.minimum_detectable_effect
    stable = effect.stable if baseline is None else baseline
    canary = effect.canary if harm is None else harm
    if canary <= stable:
        raise typer.BadParameter("must be above the failure rate of the stable revision", param_hint="--harm")
    return replace(scenario, stable_failure_rate=stable, canary_failure_rate=canary)


def choose_seed(seed: int | None) -> int:
    return SystemRandom().randrange(2**32) if seed is None else seed


def prepare(environment_name: str) -> CanarySetup:
    """Raises SettingsError if the settings or the manifests do not define a canary of the environment."""
    settings = load_canary_settings(environment_name)
    folder = settings.application.manifests
    objects = [manifest for found in parse_manifests(read_manifests(folder)).values() for manifest in found]
    weights_percent = tuple(step.weight_percent for step in parse_rollout_spec(objects).steps)
    if not weights_percent:
        raise SettingsError(f"The Rollout in {folder} has no pause, so there is nothing to judge. Nothing was started.")
    rollout = next(manifest for manifest in objects if manifest["kind"] == "Rollout")
    pods, overlays = rollout["spec"].get("replicas", 1), overlays_of(environment_name)
    return CanarySetup(environment_name, policy_of(settings.canary), weights_percent, pods, overlays)


def run(setup: CanarySetup, scenario: Scenario, runs: int, seed: int) -> Simulation:
    """scenario: of the harmful releases. The canary of a healthy one fails as often as the stable revision."""

    def simulate_kind(kind: str, of: Scenario) -> Summary:
        return simulate_many(of, setup.policy, setup.weights_percent, runs=runs, seed=f"{seed}/{kind}")

    healthy = replace(scenario, canary_failure_rate=scenario.stable_failure_rate)
    return Simulation(setup, scenario, seed, simulate_kind("healthy", healthy), simulate_kind("harmful", scenario))


def show(setup: CanarySetup, scenario: Scenario, runs: int, seed: int, *, as_json: bool) -> None:
    """Print the setup before the simulation, which takes seconds, and the result after it."""
    screen = Screen(for_program=as_json)
    say_lines(screen, describe_setup(setup, scenario, runs))
    simulation = run(setup, scenario, runs, seed)
    if as_json:
        print(json.dumps(as_object(simulation), indent=2))
    else:
        say_lines(screen, describe_result(simulation))


def say_lines(screen: Screen, lines: Sequence[str]) -> None:
    for line in lines:
        screen.say(line)
