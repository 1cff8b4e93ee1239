"""The parts of a sandbox: what each is started as, what must serve before it, and how one sees that it serves."""

import signal
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from sandbox.addresses import Addresses

Readiness = Callable[[Addresses, Path], bool]


def says(text: str) -> Readiness:
    """Ready when a line of its log ends so."""

    def is_ready(_addresses: Addresses, log: Path) -> bool:
        return any(line.endswith(text) for line in log.read_text(errors="replace").splitlines())

    return is_ready


SAYS_READY = says("ready")


def answers_as_prefect(addresses: Addresses, _log: Path) -> bool:
    """Ready when Prefect's API says that it is in health."""
    try:
        with urllib.request.urlopen(f"{addresses.prefect}/health", timeout=2) as answer:  # noqa: S310
            return answer.status == 200
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


@dataclass(frozen=True)
class Part:
    """needs: names of parts that serve before this one is started. module: run as `python -m MODULE --state DIR`."""

    name: str
    module: str
    needs: tuple[str, ...] = ()
    is_ready: Readiness = SAYS_READY
    stop_signal: signal.Signals = signal.SIGTERM


CLOUD = ("aws", "kafka", "postgres", "valkey", "nginx")

PARTS = (
    Part("aws", "sandbox.aws"),
    Part("kafka", "sandbox.kafka.brokers"),
    # SIGTERM would let it wait for its clients.
    Part("postgres", "sandbox.postgres", (), says("database system is ready to accept connections"), signal.SIGINT),
    Part("valkey", "sandbox.valkey", (), says("Ready to accept connections tcp")),
    Part("nginx", "sandbox.nginx", (), says('using the "epoll" event method')),
    Part("kubernetes", "sandbox.kubernetes", CLOUD),
    Part("load_balancer_controller", "sandbox.kubernetes.load_balancer_controller", ("aws", "kubernetes")),
    Part("load_balancer", "sandbox.load_balancer", ("aws",)),
    Part("prefect", "sandbox.prefect_server", (), answers_as_prefect),
    Part("traffic", "sandbox.traffic", ("load_balancer",)),
)
NAMES = tuple(part.name for part in PARTS)


def choose_parts(names: Iterable[str]) -> list[Part]:
    """The parts of those names in the order they are started; a part that is not asked for is not waited for."""
    wanted = set(names)
    if unknown := wanted - set(NAMES):
        raise ValueError(f"no part is called {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    return [part for part in PARTS if part.name in wanted]
