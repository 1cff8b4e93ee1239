"""Running totals of what users saw."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

NOBODY = "none"


class Tally:
    """Counts answers by the pod that gave them and by status; a request without an answer by the reason."""

    def __init__(self) -> None:
        self.sent = 0
        self._answers: Counter[tuple[str, str]] = Counter()
        self._seconds = 0.0

    def count(self, pod: str | None, outcome: str, seconds: float) -> None:
        """pod: as the answer's X-Served-By says; outcome: the status, or the name of what went wrong."""
        self._answers[pod or NOBODY, outcome] += 1
        self._seconds += seconds

    def totals(self) -> dict[str, Any]:
        """`finished` requests by status and by pod; `sent` less `finished` are under way."""
        by_status: Counter[str] = Counter()
        by_pod: dict[str, dict[str, int]] = {}
        for (pod, outcome), number in sorted(self._answers.items()):
            by_status[outcome] += number
            by_pod.setdefault(pod, {})[outcome] = number
        finished = by_status.total()
        mean = round(1000 * self._seconds / finished, 1) if finished else None
        return {
            "sent": self.sent,
            "finished": finished,
            "mean_milliseconds": mean,
            "by_status": dict(by_status),
            "by_pod": by_pod,
        }

    def write(self, path: Path) -> None:
        """Replace the file in one step, so that no reader sees half of it."""
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(self.totals(), indent=2) + "\n")
        temporary.replace(path)
