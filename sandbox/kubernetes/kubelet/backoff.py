"""The growing delay between image pulls and between restarts, as in the kubelet."""

from dataclasses import dataclass, field

FIRST_SECONDS = 10.0
MAX_SECONDS = 300.0


@dataclass
class Backoff:
    """Delays in seconds of a real kubelet. The caller applies the sandbox's time factor."""

    failures: int = field(default=0)

    def next(self) -> float:
        """10, 20, 40, ... up to 300."""
        self.failures += 1
        return min(FIRST_SECONDS * 2 ** (self.failures - 1), MAX_SECONDS)

    def reset(self) -> None:
        self.failures = 0
