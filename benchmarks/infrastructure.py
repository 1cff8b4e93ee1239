"""The time of a first installation's stacks, compared with the longest chain of stacks that wait for each other.

    python -m benchmarks.infrastructure --time-factor 0.5

The flow of a release deploys the committed assembly to the sandbox. The resources of the sandbox take AWS's times,
divided by 20 and by the factor. A stack's own time is the time between its events, plus the time in which
CloudFormation describes its change set. For the guide's order, one stack after another, these times are added up.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from prefect.settings import PREFECT_API_URL, temporary_settings

from blocks.settings import load_environment
from clients.assembly import read_assembly
from delivery.stacks.assembly import StackSpec
from flows.infrastructure import deploy_infrastructure
from sandbox.aws.client import client
from sandbox.aws.cloudformation.change_sets import AWS_TIME_TO_PLAN
from sandbox.environment import variables
from sandbox.instance import Sandbox
from sandbox.settings import SandboxSettings
from tasks.state.lock import lock_environment

DIGEST = f"sha256:{'0' * 64}"
AWS_TIMES_ARE_SHORTER = 20
TARGET_RATIO = 1.05


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--time-factor", type=float, default=0.5, help="divides AWS's times, in addition to the division by 20"
    )
    factor = parser.parse_args().time_factor
    settings = SandboxSettings(time_factor=factor)
    with (
        tempfile.TemporaryDirectory() as folder,
        Sandbox(Path(folder) / "sandbox", parts=("aws", "postgres", "prefect"), settings=settings) as sandbox,
    ):
        os.environ.update(variables(sandbox.state, sandbox.addresses, sandbox.settings))
        shortened = factor * AWS_TIMES_ARE_SHORTER
        # Scaled like AWS's times. Production polls every five seconds.
        os.environ["SLIPWAY_STACKS__POLL"] = f"PT{timedelta(seconds=5).total_seconds() / shortened}S"
        with temporary_settings({PREFECT_API_URL: sandbox.addresses.prefect}):
            wall = install()
        formation = client("cloudformation", sandbox.addresses, sandbox.settings)
        described = AWS_TIME_TO_PLAN.total_seconds() / shortened
        assembly = read_assembly(load_environment("production").stacks.assembly)
        own = {stack.id: seconds_of(formation, stack.name) + described for stack in assembly}
        show(assembly, own, wall, shortened)


def install() -> float:
    """Seconds from the start of the flow to its end."""
    with lock_environment(load_environment("production"), DIGEST, "benchmark", "benchmark", wait=False) as context:
        began = time.perf_counter()
        deploy_infrastructure(context.release)
        return time.perf_counter() - began


def seconds_of(formation: Any, stack_name: str) -> float:
    """From the first event of the stack's creation to the last one."""
    pages = formation.get_paginator("describe_stack_events").paginate(StackName=stack_name)
    own = [event for page in pages for event in page["StackEvents"] if event["LogicalResourceId"] == stack_name]
    at = {event["ResourceStatus"]: event["Timestamp"] for event in own}
    return (at["CREATE_COMPLETE"] - at["CREATE_IN_PROGRESS"]).total_seconds()


def longest_chain(assembly: tuple[StackSpec, ...], own: Mapping[str, float]) -> float:
    """The time of the longest chain of stacks that wait for each other."""
    ends: dict[str, float] = {}
    for stack in assembly:
        ends[stack.id] = max((ends[name] for name in stack.depends_on), default=0.0) + own[stack.id]
    return max(ends.values())


def show(assembly: tuple[StackSpec, ...], own: Mapping[str, float], wall: float, shortened: float) -> None:
    for stack_id, seconds in own.items():
        print(f"{stack_id:<20} {seconds:7.1f} s   as on AWS {seconds * shortened / 60:5.1f} min")
    chain, one_by_one = longest_chain(assembly, own), sum(own.values())
    result = "on target" if wall <= TARGET_RATIO * chain else "ABOVE the target"
    print(f"\nlongest chain        {chain:7.1f} s   as on AWS {chain * shortened / 60:5.1f} min")
    print(f"wall time            {wall:7.1f} s   {wall / chain:.3f} of the chain, {result} (at most {TARGET_RATIO})")
    print(f"one after another    {one_by_one:7.1f} s   {one_by_one / chain:.3f} of the chain (the guide's order)")


if __name__ == "__main__":
    main()
