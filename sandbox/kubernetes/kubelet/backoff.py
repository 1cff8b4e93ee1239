"""Waiting longer each time, as the kubelet does between pulls and between restarts."""

from dataclasses import dataclass, field

FIRST_SECONDS = 10.0
MAX_SECONDS = 300.0


@dataclass
class Backoff:
    """Real seconds; the sandbox's factor is applied by whoever waits."""

    failures: int = field(default=0)

    def next(self) -> float:
        """10, 20, 40, ... up to 300."""
        self.failures += 1
        return min(FIRST_SECONDS * 2 ** (self.failures - 1), MAX_SECONDS)

    def reset(self) -> None:
        self.failures = 0
