"""Draws the time until harm is detected against the request rate, for docs/verdict.md.

python -m benchmarks.detection_plot --runs 200 > docs/detection.svg
"""

import argparse
import math
from collections.abc import Sequence
from random import Random

from benchmarks.policy import production_policy
from delivery.canary.simulation import simulate
from delivery.canary.synthetic_traffic import Scenario
from delivery.canary.verdict import PauseAction

RATES = (0.5, 1, 2, 5, 10, 20, 50, 100)
HARMS = {"2 % to 3 %": 0.03, "2 % to 5 %": 0.05, "2 % to 10 %": 0.10}
COLOURS = ("#8a5a00", "#0b5cad", "#1b7a3d")
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 760, 420, 60, 60, 40, 130
LONGEST = 30.0
FONT = 'font-family="sans-serif" font-size="13"'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    curves = {
        name: [_minutes(harm, rate, options.runs, options.seed) for rate in RATES] for name, harm in HARMS.items()
    }
    print(draw(curves))


def draw(curves: dict[str, list[tuple[float, float]]]) -> str:
    """The plot as SVG. curves: p50 and p90 in minutes for each rate; infinite if not detected within the step."""
    parts = [*_axes()]
    for place, ((name, points), colour) in enumerate(zip(curves.items(), COLOURS, strict=True)):
        parts.append(_line([p50 for p50, _ in points], colour, ""))
        parts.append(_line([p90 for _, p90 in points], colour, ' stroke-dasharray="5 4"'))
        parts.append(f'<text x="{WIDTH - RIGHT + 16}" y="{TOP + 20 * (place + 1)}" fill="{colour}">{name}</text>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {FONT}>'
    return "\n".join([head, f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>', *parts, "</svg>"])


def _minutes(harm: float, rate: float, runs: int, seed: int) -> tuple[float, float]:
    """p50 and p90 of the minutes until the abort in the first step, at 20 %."""
    random = Random(f"{seed}/{harm}/{rate}")
    scenario, policy = Scenario(requests_per_second=rate, canary_failure_rate=harm), production_policy()
    ended = [simulate(scenario, policy, (20,), random) for _ in range(runs)]
    took = [run.duration.total_seconds() / 60 if run.action is PauseAction.ABORT else math.inf for run in ended]
    cuts = sorted(took)
    return cuts[(runs - 1) // 2], cuts[math.ceil(runs * 0.9) - 1]


def _axes() -> list[str]:
    across = "".join(
        f'<text x="{_x(rate):.0f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{rate:g}</text>' for rate in RATES
    )
    up = "".join(
        f'<text x="{LEFT - 8}" y="{_y(minutes) + 4:.0f}" text-anchor="end">{minutes}</text>'
        f'<path d="M{LEFT} {_y(minutes):.0f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
        for minutes in (0, 5, 10, 20, 30)
    )
    middle = (LEFT + WIDTH - RIGHT) / 2
    return [
        up,
        across,
        f'<text x="{middle:.0f}" y="{HEIGHT - 16}" text-anchor="middle">requests per second, both revisions</text>',
        f'<text x="{LEFT - 40}" y="{TOP - 16}">minutes until the abort, 20 % weight: p50 solid, p90 dashed; '
        "no point: the step ended otherwise</text>",
    ]


def _line(minutes: Sequence[float], colour: str, dashes: str) -> str:
    points = [(rate, minute) for rate, minute in zip(RATES, minutes, strict=True) if minute <= LONGEST]
    path = " ".join(f"{_x(rate):.0f},{_y(minute):.0f}" for rate, minute in points)
    dots = "".join(
        f'<circle cx="{_x(rate):.0f}" cy="{_y(minute):.0f}" r="3" fill="{colour}"/>' for rate, minute in points
    )
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>{dots}'


def _x(rate: float) -> float:
    span = math.log(RATES[-1] / RATES[0])
    return LEFT + (WIDTH - LEFT - RIGHT) * math.log(rate / RATES[0]) / span


def _y(minutes: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * min(minutes, LONGEST) / LONGEST


if __name__ == "__main__":
    main()
