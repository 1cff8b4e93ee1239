"""Before a run starts: whether somebody is there who takes it, and what to do where nobody is."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cli.screen import Screen
from clients.prefect.api import PrefectApi, Run
from delivery.report import describe_elapsed
from deployments.pool import POOL

# Longer than a worker's longest pause between two questions for work.
TIME_FOR_A_WORKER = timedelta(seconds=15)
# A worker that is there takes longer only where it is kept from it.
TIME_FOR_A_BUSY_ONE = timedelta(seconds=60)


@dataclass
class Start:
    """Waits for somebody to take the run. within: for so long; for ever unless told."""

    api: PrefectApi
    within: timedelta | None = None
    submitted: datetime = field(default_factory=lambda: datetime.now(UTC))
    is_given_up: bool = False
    said: set[str] = field(default_factory=set)

    def look(self, run: Run, screen: Screen) -> None:
        """Says once what keeps the run from starting; asks Prefect to cancel it when its time is over."""
        waited = datetime.now(UTC) - self.submitted
        if run.state_type != "SCHEDULED" or self.is_given_up:
            return
        if self.within is not None and waited > self.within:
            self.is_given_up = True
            self.api.cancel(run.id)
        elif waited > TIME_FOR_A_WORKER:
            self._tell(describe_wait(self.api.count_workers(POOL), waited, self.api.page_of_pool(POOL)), screen)

    def _tell(self, told: tuple[str, str], screen: Screen) -> None:
        why, sentence = told
        if sentence and why not in self.said:
            self.said.add(why)
            screen.say(sentence, "yellow")


def describe_wait(workers: int, waited: timedelta, page: str) -> tuple[str, str]:
    """Why nobody has taken the run, in a word, and the sentence about it; empty where it is too early to tell."""
    beginning = f"Nobody has taken the run in {describe_elapsed(waited)}"
    if workers == 0:
        return "no worker", (
            f"{beginning}: no worker polls the work pool {POOL!r}. Start one in a shell with the "
            "same PREFECT_API_URL: slipway worker. Until then the run waits."
        )
    if waited <= TIME_FOR_A_BUSY_ONE:
        return "busy", ""
    return "busy", (
        f"{beginning}, although {workers} {'worker polls' if workers == 1 else 'workers poll'} the work pool {POOL!r}: "
        f"the pool may be paused, or at its limit: {page}. Until then the run waits."
    )
