"""`python -m sandbox start`: a whole sandbox, until Ctrl-C or until one of its parts dies."""

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

SECONDS_BETWEEN_LOOKS = 0.5


def main(arguments: Sequence[str], hints: Callable[[Sandbox], str] | None = None) -> int:
    """Exit code: 0 when it was asked to end, 1 when a part died or did not come up.

    hints: what to print besides, once all parts serve.
    """
    options = parse(arguments)
    end_on_sigterm()
    hear_ctrl_c()
    settings = SandboxSettings(
        time_factor=options.time_factor, metric_period_seconds=options.metric_period, requests_per_second=options.rate
    )
    try:
        with Sandbox(options.state, parts=options.parts, settings=settings, report=say_ready) as sandbox:
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
    parser.add_argument("--state", type=Path, help="a new folder for its state (default: one under .sandbox/)")
    parser.add_argument("--time-factor", type=float, default=10.0, help="times of manifests are divided by it")
    parser.add_argument("--metric-period", type=int, default=5, help="seconds that a period of metrics lasts, not 60")
    parser.add_argument("--rate", type=float, default=25.0, help="requests per second of the users' traffic")
    parser.add_argument("--parts", nargs="+", default=NAMES, choices=NAMES, metavar="PART", help=", ".join(NAMES))
    return parser.parse_args(arguments)


def watch(sandbox: Sandbox) -> None:
    while True:
        sandbox.supervisor.refuse_dead()
        time.sleep(SECONDS_BETWEEN_LOOKS)


def say_ready(name: str) -> None:
    print(f"  {name} serves", flush=True)


def describe(sandbox: Sandbox) -> str:
    """A table of what listens where, and the lines that point a shell at it."""
    rows = [f"  {name:<26}{address}" for name, address in listening(sandbox)]
    heading = f"Times of manifests and controllers are divided by {sandbox.settings.time_factor:g}."
    use = ["In another shell, in this checkout:", 'export PATH="$PWD/.venv/bin:$PATH"']
    return "\n".join(["", *rows, "", heading, *use, f"source {sandbox.state / 'env.sh'}"])


def listening(sandbox: Sandbox) -> list[tuple[str, str]]:
    addresses = sandbox.addresses
    where = {
        "aws": addresses.aws,
        "kafka": f"{', '.join(addresses.kafka)}; by IAM {', '.join(addresses.kafka_iam)}",
        "postgres": addresses.postgres,
        "valkey": addresses.valkey,
        "nginx": f"{addresses.postgres_tls} (PostgreSQL, TLS), {addresses.valkey_tls} (Valkey, TLS)",
        "kubernetes": f"{addresses.kubernetes}, pods in {addresses.pod_network}.0.0/16",
        "load_balancer": f"{addresses.load_balancer} (TLS), {addresses.load_balancer_http}",
        "load_balancer_controller": "Ingress to listeners, rules and target groups",
        "prefect": addresses.prefect.removesuffix("/api"),
        "traffic": f"{sandbox.settings.requests_per_second:g} requests/s, counted in {sandbox.state / 'traffic.json'}",
    }
    return [(name, where[name]) for name in sandbox.supervisor.running()]
