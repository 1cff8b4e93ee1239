"""`python -m sandbox start` starts a sandbox and runs it until Ctrl-C, or until a part ends."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sandbox.instance import Sandbox
from sandbox.parts import NAMES
from sandbox.processes import end_on_sigterm, hear_ctrl_c
from sandbox.settings import SandboxSettings
from sandbox.supervisor import PartFailed

SECONDS_BETWEEN_CHECKS = 0.5


def main(arguments: Sequence[str], hints: Callable[[Sandbox], str] | None = None) -> int:
    """The exit code is 0 after Ctrl-C or SIGTERM, and 1 if a part ended or did not become ready.

    hints: returns more lines to print when all parts are ready.
    """
    options = parse(arguments)
    end_on_sigterm()
    hear_ctrl_c()
    settings = SandboxSettings(
        time_factor=options.time_factor, metric_period_seconds=options.metric_period, requests_per_second=options.rate
    )
    try:
        with Sandbox(options.state, parts=options.parts, settings=settings, report=print_ready) as sandbox:
            print(describe(sandbox), flush=True)
            if hints and set(sandbox.supervisor.running()) >= set(NAMES):
                print(hints(sandbox), flush=True)
            watch(sandbox)
    except PartFailed as failure:
        print(f"{failure}\nThe other parts were stopped.", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, SystemExit):
        print("stopped", flush=True)
    return 0


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox start", description=__doc__)
    parser.add_argument("--state", type=Path, help="a new folder for the state (default: one in .sandbox/)")
    parser.add_argument("--time-factor", type=float, default=10.0, help="divides times of manifests and controllers")
    parser.add_argument("--metric-period", type=int, default=5, help="seconds per metric period (60 on AWS)")
    parser.add_argument("--rate", type=float, default=25.0, help="requests per second that the users send")
    parser.add_argument("--parts", nargs="+", default=NAMES, choices=NAMES, metavar="PART", help=", ".join(NAMES))
    return parser.parse_args(arguments)


def watch(sandbox: Sandbox) -> None:
    while True:
        sandbox.supervisor.refuse_dead()
        time.sleep(SECONDS_BETWEEN_CHECKS)


def print_ready(name: str) -> None:
    print(f"  {name} is ready", flush=True)


def describe(sandbox: Sandbox) -> str:
    """A table of the addresses, and the lines that set up a shell for this sandbox."""
    rows = [f"  {name:<26}{address}" for name, address in rows_of_addresses(sandbox)]
    heading = f"Times of manifests and controllers are divided by {sandbox.settings.time_factor:g}."
    use = ["In another shell, in this checkout:", 'export PATH="$PWD/.venv/bin:$PATH"']
    return "\n".join(["", *rows, "", heading, *use, f"source {sandbox.state / 'env.sh'}"])


def rows_of_addresses(sandbox: Sandbox) -> list[tuple[str, str]]:
    addresses = sandbox.addresses
    where = {
        "aws": addresses.aws,
        "kafka": f"{', '.join(addresses.kafka)}; with IAM {', '.join(addresses.kafka_iam)}",
        "postgres": addresses.postgres,
        "valkey": addresses.valkey,
        "nginx": f"{addresses.postgres_tls} (PostgreSQL, TLS), {addresses.valkey_tls} (Valkey, TLS)",
        "kubernetes": f"{addresses.kubernetes}, pods in {addresses.pod_network}.0.0/16",
        "load_balancer": f"{addresses.load_balancer} (TLS), {addresses.load_balancer_http}",
        "load_balancer_controller": "turns Ingresses into listeners, rules and target groups",
        "prefect": addresses.prefect.removesuffix("/api"),
        "traffic": f"{sandbox.settings.requests_per_second:g} requests/s, totals in {sandbox.state / 'traffic.json'}",
    }
    return [(name, where[name]) for name in sandbox.supervisor.running()]
