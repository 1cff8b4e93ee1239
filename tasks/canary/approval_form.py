"""A request for approval: a form in the Prefect UI, for a flow run that is paused while its process continues.

Prefect's own pause_flow_run blocks, so the canary would not be checked during the pause. And after a pause times out,
its flow run can only end Failed.
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
from pydantic import ConfigDict

from clients.prefect.api import translated
from delivery.errors import Conflict, DeliveryError, Rejected, Unavailable
from tasks.runs.log import progress

# The pause times out this much later than the request, so the server ends only the pause of a process that died.
PAUSE_MARGIN = timedelta(minutes=10)
# By default, the client retries for a minute if the server is not available. The canary would not be checked then.
WITHOUT_RETRIES: dict[Any, int] = {PREFECT_CLIENT_MAX_RETRIES: 0}


class Decision(RunInput):
    """Whether to promote a canary without proof, and why."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    promote: bool
    """Promote the canary. Otherwise, it is rolled back."""

    reason: str
    """The reason for this decision. The release reports it."""


class NoDecision(Decision):
    """Without a decision of a person, the canary is not promoted. reason: why there is none."""

    promote: bool = False


@dataclass(frozen=True)
class ApprovalRequest:
    """The form of one pause of a flow run. keyset: the names under which Prefect stores the form and the input."""

    run: UUID
    pause: str
    keyset: Keyset

    @classmethod
    def of_this_run(cls) -> Self:
        pause = uuid.uuid4().hex
        return cls(UUID(str(flow_run.id)), pause, keyset_from_paused_state(Paused(pause_key=pause)))

    def submit(self, text: str, timeout: timedelta) -> None:
        """Pause the flow run, and write the form."""
        state = Paused(timeout_seconds=int((timeout + PAUSE_MARGIN).total_seconds()), pause_key=self.pause)
        state.state_details.run_input_keyset = cast(dict[str, str], self.keyset)
        with connected_to_prefect("pausing the flow run") as api:
            response = api.set_flow_run_state(self.run, state)
            # The client repeats a request without a response, and the server refuses a second pause.
            if response.status is not SetStateStatus.ACCEPT and not self._is_paused(api):
                why = str(getattr(response.details, "reason", None) or response.status).rstrip(".")
                raise Rejected(f"The flow run could not be paused, so no approval was requested: {why}.")
        self._write_form(text)

    def _is_paused(self, api: SyncPrefectClient) -> bool:
        """Whether the flow run is in this very pause."""
        state = api.read_flow_run(self.run).state
        return state is not None and state.is_paused() and state.state_details.pause_key == self.pause

    def _write_form(self, text: str) -> None:
        """If an input already exists, an earlier request without a response wrote it: the keyset is of this pause."""
        for write in (
            partial(create_flow_run_input, self.keyset["description"], text, self.run),
            partial(Decision.save, self.keyset, self.run),
        ):
            with suppress(Conflict), connected_to_prefect("writing the form"):
                write()

    def read_decision(self) -> Decision | None:
        """None while there is no decision. This includes a server that does not answer: it accepts no decision either.

        NoDecision if the flow run ended or was cancelled, because its form no longer accepts a decision, or if it was
        resumed without input.
        """
        try:
            with temporary_settings(WITHOUT_RETRIES), connected_to_prefect("reading the decision") as api:
                state = api.read_flow_run(self.run).state
                if state and (state.is_cancelling() or state.is_final()):
                    return NoDecision(reason=f"the flow run is in state {state.name}")
                if state is None or not state.is_running():
                    return None
                response = read_flow_run_input(self.keyset["response"], self.run)
        except Unavailable:
            return None
        if not response:
            return NoDecision(reason="the flow run was resumed without input")
        return Decision.model_validate(response)

    def withdraw(self) -> None:
        """End the pause, unless it already ended. An error is only reported."""
        try:
            with temporary_settings(WITHOUT_RETRIES), connected_to_prefect("resuming the flow run") as api:
                state = api.read_flow_run(self.run).state
                if state and state.is_paused():
                    api.set_flow_run_state(self.run, Running())
        except DeliveryError as error:
            progress(f"The flow run stays paused in Prefect until it ends: {error}")


@contextmanager
def requesting_approval(text: str, timeout: timedelta) -> Iterator[ApprovalRequest]:
    """Within the block, an approval is requested. An error that leaves the block withdraws the request.

    timeout: of the request. The block has to enforce it.
    """
    request = ApprovalRequest.of_this_run()
    try:
        request.submit(text, timeout)
        yield request
    except Exception:
        request.withdraw()
        raise


@contextmanager
def connected_to_prefect(what: str) -> Iterator[SyncPrefectClient]:
    """what: the end of a sentence "... while"."""
    with translated(what, PREFECT_API_URL.value() or "its default address"), get_client(sync_client=True) as api:
        yield api
