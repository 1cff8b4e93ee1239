"""Before a run starts: whether a worker will pick it up, and what to do if none does."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cli.screen import Screen
from clients.prefect.api import PrefectApi, Run
from delivery.report import describe_elapsed
from deployments.pool import POOL

# Longer than the time between two polls of a worker.
TIME_FOR_A_WORKER = timedelta(seconds=15)
# A worker takes longer than this only if something prevents it.
TIME_FOR_A_BUSY_ONE = timedelta(seconds=60)


@dataclass
class Start:
    """Waits for a worker to pick up the run. within: the longest wait; None: for ever."""

    api: PrefectApi
    within: timedelta | None = None
    submitted: datetime = field(default_factory=lambda: datetime.now(UTC))
    is_cancelled: bool = False
    reported: set[str] = field(default_factory=set)

    def check(self, run: Run, screen: Screen) -> None:
        """Report once what prevents the run from starting; have Prefect cancel it when its time is over."""
        waited = datetime.now(UTC) - self.submitted
        if run.state_type != "SCHEDULED" or self.is_cancelled:
            return
        if self.within is not None and waited > self.within:
            self.is_cancelled = True
            self.api.cancel(run.id)
        elif waited > TIME_FOR_A_WORKER:
            self._report(describe_wait(self.api.count_workers(POOL), waited, self.api.page_of_pool(POOL)), screen)

    def _report(self, found: tuple[str, str], screen: Screen) -> None:
        why, sentence = found
        if sentence and why not in self.reported:
            self.reported.add(why)
            screen.say(sentence, "yellow")


def describe_wait(workers: int, waited: timedelta, page: str) -> tuple[str, str]:
    """Why no worker has picked up the run, in a word, and the sentence about it; empty while it is too early."""
    beginning = f"No worker has picked up the run in {describe_elapsed(waited)}"
    if workers == 0:
        return "no worker", (
            f"{beginning}: no worker polls the work pool {POOL!r}. The run is waiting. Start a worker in a shell with "
            "the same PREFECT_API_URL: slipway worker."
        )
    if waited <= TIME_FOR_A_BUSY_ONE:
        return "busy", ""
    return "busy", (
        f"{beginning}, although {workers} {'worker polls' if workers == 1 else 'workers poll'} the work pool {POOL!r}: "
        f"the pool may be paused or at its concurrency limit: {page}. The run is waiting."
    )
