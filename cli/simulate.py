"""`slipway simulate`: how an environment's canaries would end, by its own steps, pauses and judge."""

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
from delivery.canary.simulation_text import Rehearsal, Simulated, as_object, describe_answer, describe_question
from delivery.canary.synthetic_traffic import Scenario
from delivery.errors import SettingsError
from delivery.rollout.manifests import parse_manifests, parse_rollout_spec

Environment = Annotated[str, typer.Option(help="Whose steps, pauses and judge, as in environments/.")]
Rate = Annotated[float, typer.Option(min=0.001, max=1_000_000, help="Requests per second, of both revisions together.")]
Baseline = Annotated[
    float | None,
    typer.Option(min=0.0, max=1.0, help="Failure rate of the stable revision; the smallest harm's unless told."),
]
HarmRate = Annotated[
    float | None,
    typer.Option("--harm", min=0.0, max=1.0, help="Failure rate of a harmful canary; the smallest harm's unless told."),
]
Shock = Annotated[
    float, typer.Option(min=0.0, max=5.0, help="Standard deviation of log(failure rate) per period, shared by both.")
]
Bursts = Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of the periods with five times the requests.")]
Retries = Annotated[int, typer.Option(min=0, max=100, help="Retries of each failed request; they fail, too.")]
Lost = Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of the periods whose counts cannot be read.")]
Late = Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of a revision's periods that are counted too late.")]
BadPod = Annotated[bool, typer.Option("--bad-pod", help="One of the canary's pods fails half of its requests.")]
Runs = Annotated[int, typer.Option(min=1, help="So many healthy releases, and as many harmful ones.")]
Seed = Annotated[int | None, typer.Option(min=0, help="Gives the same releases again; a fresh one unless told.")]
AsJson = Annotated[bool, typer.Option("--json", help="The result as one JSON object.")]


def simulate(
    environment: Environment = "production",
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
    """Simulate how an environment's canaries would end.

    On a virtual clock: false aborts, how soon a harm is found, what stays without proof. Nothing is changed and nobody
    is asked: it needs neither an account nor Prefect. Rates and shares are 0.0 to 1.0.
    """
    rehearsal, roughness = prepare(environment), Scenario(rate, shock=shock, burst=bursts, retries=retries)
    missed = replace(roughness, lost=lost, late=late, pods=rehearsal.pods, bad_pods=int(bad_pod))
    show(rehearsal, with_rates(missed, rehearsal, baseline, harm), runs, draw(seed), as_json=as_json)


def with_rates(scenario: Scenario, rehearsal: Rehearsal, baseline: float | None, harm: float | None) -> Scenario:
    """The scenario of a harmful release; the smallest harm's failure rates where none are given."""
    smallest = rehearsal.policy.minimum_detectable_effect
    stable = smallest.stable if baseline is None else baseline
    canary = smallest.canary if harm is None else harm
    if canary <= stable:
        raise typer.BadParameter("a harmful canary fails more often than the stable revision", param_hint="--harm")
    return replace(scenario, stable_failure_rate=stable, canary_failure_rate=canary)


def draw(seed: int | None) -> int:
    return SystemRandom().randrange(2**32) if seed is None else seed


def prepare(environment: str) -> Rehearsal:
    """Raises SettingsError where settings or manifests do not say how a canary of the environment moves."""
    settings = load_canary_settings(environment)
    folder = settings.application.manifests
    objects = [manifest for found in parse_manifests(read_manifests(folder)).values() for manifest in found]
    weights = tuple(step.weight_percent for step in parse_rollout_spec(objects).steps)
    if not weights:
        raise SettingsError(f"The Rollout in {folder} has no pause, so there is nothing to judge. Nothing was begun.")
    rollout = next(manifest for manifest in objects if manifest["kind"] == "Rollout")
    pods, overlays = rollout["spec"].get("replicas", 1), overlays_of(environment)
    return Rehearsal(environment, policy_of(settings.canary), weights, pods, overlays)


def run(rehearsal: Rehearsal, scenario: Scenario, runs: int, seed: int) -> Simulated:
    """scenario: of the harmful releases; a healthy one's canary fails as often as the stable revision."""

    def many(kind: str, of: Scenario) -> Summary:
        return simulate_many(of, rehearsal.policy, rehearsal.weights_percent, runs=runs, seed=f"{seed}/{kind}")

    healthy = replace(scenario, canary_failure_rate=scenario.stable_failure_rate)
    return Simulated(rehearsal, scenario, seed, many("healthy", healthy), many("harmful", scenario))


def show(rehearsal: Rehearsal, scenario: Scenario, runs: int, seed: int, *, as_json: bool) -> None:
    """The question before the simulation, which takes its seconds, and the answer after it."""
    screen = Screen(for_program=as_json)
    tell(screen, describe_question(rehearsal, scenario, runs))
    simulated = run(rehearsal, scenario, runs, seed)
    if as_json:
        print(json.dumps(as_object(simulated), indent=2))
    else:
        tell(screen, describe_answer(simulated))


def tell(screen: Screen, lines: Sequence[str]) -> None:
    for line in lines:
        screen.say(line)
