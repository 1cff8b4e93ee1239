"""Decisions on an approval, as a person makes them in the Prefect UI."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from prefect.client.orchestration import get_client
from prefect.client.schemas.responses import SetStateStatus

from sandbox.testing import eventually

APPROVAL = {"promote": True, "reason": "few users at night"}


@contextmanager
def deciding(run: Any, decision: dict[str, Any] | None) -> Iterator[None]:
    """Within the block, a person resumes the run once it is paused. Without a decision, the run stays paused."""
    person = Thread(target=resume, args=(run, decision))
    if decision:
        person.start()
    yield
    if decision:
        person.join()


def resume(run: Any, decision: dict[str, Any]) -> None:
    """Resume the run with the decision. The server rejects this until the run is paused and its form is written."""
    with get_client(sync_client=True) as api:
        eventually(lambda: api.resume_flow_run(run, run_input=decision).status is SetStateStatus.ACCEPT)
