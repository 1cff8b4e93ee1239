"""The parts of a sandbox: the module of each part, the parts that it needs, and the check that it is ready."""

import signal
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from sandbox.addresses import Addresses

Readiness = Callable[[Addresses, Path], bool]


def log_line_ends_with(text: str) -> Readiness:
    """Ready when a line of the log ends with `text`."""

    def is_ready(_addresses: Addresses, log: Path) -> bool:
        return any(line.endswith(text) for line in log.read_text(errors="replace").splitlines())

    return is_ready


LOGS_READY = log_line_ends_with("ready")


def is_prefect_healthy(addresses: Addresses, _log: Path) -> bool:
    """Ready when the health endpoint of Prefect's API answers with 200."""
    try:
        with urllib.request.urlopen(f"{addresses.prefect}/health", timeout=2) as answer:  # noqa: S310
            return answer.status == 200
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


@dataclass(frozen=True)
class Part:
    """module: run as `python -m MODULE --state DIR`. needs: the parts that must be ready before this part starts."""

    name: str
    module: str
    needs: tuple[str, ...] = ()
    is_ready: Readiness = LOGS_READY
    stop_signal: signal.Signals = signal.SIGTERM


CLOUD = ("aws", "kafka", "postgres", "valkey", "nginx")

PARTS = (
    Part("aws", "sandbox.aws"),
    Part("kafka", "sandbox.kafka.brokers"),
    # With SIGTERM, PostgreSQL would wait until its clients disconnect.
    Part(
        "postgres",
        "sandbox.programs.postgres",
        (),
        log_line_ends_with("database system is ready to accept connections"),
        signal.SIGINT,
    ),
    Part("valkey", "sandbox.programs.valkey", (), log_line_ends_with("Ready to accept connections tcp")),
    Part("nginx", "sandbox.programs.nginx", (), log_line_ends_with('using the "epoll" event method')),
    Part("kubernetes", "sandbox.kubernetes", CLOUD),
    Part("load_balancer_controller", "sandbox.kubernetes.load_balancer_controller", ("aws", "kubernetes")),
    Part("load_balancer", "sandbox.load_balancer", ("aws",)),
    Part("prefect", "sandbox.programs.prefect_server", (), is_prefect_healthy),
    Part("traffic", "sandbox.traffic", ("load_balancer",)),
)
NAMES = tuple(part.name for part in PARTS)


def choose_parts(names: Iterable[str]) -> list[Part]:
    """The named parts in the order in which they start. ValueError for an unknown name."""
    wanted = set(names)
    if unknown := wanted - set(NAMES):
        raise ValueError(f"There is no part {', '.join(sorted(unknown))}. The parts are {', '.join(NAMES)}.")
    return [part for part in PARTS if part.name in wanted]
