"""The totals of the responses that users got."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

NO_POD = "none"


class Tally:
    """Counts responses by pod and by status, and requests without a response by the error."""

    def __init__(self) -> None:
        self.sent = 0
        self._answers: Counter[tuple[str, str]] = Counter()
        self._seconds = 0.0

    def count(self, pod: str | None, outcome: str, seconds: float) -> None:
        """pod: from X-Served-By of the response. outcome: the status, or the name of the error."""
        self._answers[pod or NO_POD, outcome] += 1
        self._seconds += seconds

    def totals(self) -> dict[str, Any]:
        """The finished requests by status and by pod. `sent` minus `finished` are in progress."""
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
        """Replace the file atomically, so that no reader gets a partial file."""
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(self.totals(), indent=2) + "\n")
        temporary.replace(path)
