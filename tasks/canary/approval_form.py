"""A question to a person, by the form of a run that is paused in Prefect while its process goes on.

Prefect's own pause_flow_run blocks: meanwhile nobody would look at what is asked about. And a pause that has run out
can only end Failed.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Self, cast
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.responses import SetStateStatus
from prefect.input import Keyset, RunInput, create_flow_run_input, keyset_from_paused_state, read_flow_run_input
from prefect.runtime import flow_run
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from prefect.states import Paused, Running

from clients.prefect.api import translated
from delivery.errors import Conflict, DeliveryError, Rejected, Unavailable
from tasks.runs.log import progress

# So much longer than a question does its pause last. The server ends the pause of a process that died, never ours.
LONGER = timedelta(minutes=10)
# By itself the client asks a server that is away again for a minute, in which nobody would look at the canary.
AT_ONCE: dict[Any, int] = {PREFECT_CLIENT_MAX_RETRIES: 0}


class Decision(RunInput):
    """What a person says when the evidence does not: whether the canary goes on, and why."""

    promote: bool
    reason: str


@dataclass(frozen=True)
class Question:
    """The form of one pause of a run. keyset: by which names Prefect keeps the form and what is answered."""

    run: UUID
    pause: str
    keyset: Keyset

    @classmethod
    def of_this_run(cls) -> Self:
        pause = uuid.uuid4().hex
        return cls(UUID(str(flow_run.id)), pause, keyset_from_paused_state(Paused(pause_key=pause)))

    def put(self, text: str, deadline: timedelta) -> None:
        """Pause the run, with the form."""
        state = Paused(timeout_seconds=int((deadline + LONGER).total_seconds()), pause_key=self.pause)
        state.state_details.run_input_keyset = cast(dict[str, str], self.keyset)
        with speaking_to_prefect("pausing the run") as api:
            answer = api.set_flow_run_state(self.run, state)
            # The client repeats a request whose answer was lost, and the server refuses a second pause.
            if answer.status is not SetStateStatus.ACCEPT and not self._is_put(api):
                why = str(getattr(answer.details, "reason", None) or answer.status).rstrip(".")
                raise Rejected(f"The run could not be paused to ask a person, so that nobody was asked: {why}.")
        self._write_form(text)

    def _is_put(self, api: SyncPrefectClient) -> bool:
        state = api.read_flow_run(self.run).state
        return state is not None and state.is_paused() and state.state_details.pause_key == self.pause

    def _write_form(self, text: str) -> None:
        """What is there already was written by a request whose answer was lost: the keyset is this pause's alone."""
        for write in (
            partial(create_flow_run_input, self.keyset["description"], text, self.run),
            partial(Decision.save, self.keyset, self.run),
        ):
            with suppress(Conflict), speaking_to_prefect("writing the question"):
                write()

    def read_answer(self) -> Decision | None:
        """None while there is none, also where Prefect's server is away: then nobody can give one either.

        A run that was cancelled, or ended otherwise, says no: nobody can answer in it any more.
        """
        try:
            with temporary_settings(AT_ONCE), speaking_to_prefect("reading the answer") as api:
                state = api.read_flow_run(self.run).state
                if state and (state.is_cancelling() or state.is_final()):
                    return Decision(promote=False, reason=f"the run was ended meanwhile, its state is {state.name}")
                if state is None or not state.is_running():
                    return None
                answer = read_flow_run_input(self.keyset["response"], self.run)
        except Unavailable:
            return None
        return Decision.model_validate(answer or {"promote": False, "reason": "the run was resumed without one"})

    def withdraw(self) -> None:
        """Nobody is asked any more; the run goes on unless it does so already. What does not work is told only."""
        try:
            with temporary_settings(AT_ONCE), speaking_to_prefect("ending the pause") as api:
                state = api.read_flow_run(self.run).state
                if state and state.is_paused():
                    api.set_flow_run_state(self.run, Running())
        except DeliveryError as error:
            progress(f"The run is still paused in Prefect until it ends: {error}")


@contextmanager
def asking(text: str, deadline: timedelta) -> Iterator[Question]:
    """The run asks within the block. An error that leaves it withdraws the question.

    deadline: how long it is asked for, which is the block's to see to.
    """
    question = Question.of_this_run()
    try:
        question.put(text, deadline)
        yield question
    except Exception:
        question.withdraw()
        raise


@contextmanager
def speaking_to_prefect(what: str) -> Iterator[SyncPrefectClient]:
    """what: continues "while "."""
    with translated(what, PREFECT_API_URL.value() or "its default address"), get_client(sync_client=True) as api:
        yield api
