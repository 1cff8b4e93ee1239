"""The form of a request for approval, and what happens to it if the Prefect server fails."""

from datetime import timedelta
from uuid import uuid4

import pytest
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.input import keyset_from_base_key, keyset_from_paused_state, read_flow_run_input
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Paused, Running

from delivery.errors import Rejected
from tasks.canary.approval_form import ApprovalRequest, Decision, NoDecision
from tests.lossy import lossy_prefect
from tests.tasks.canary.decisions import APPROVAL, resume


@flow
def wait_for_nothing() -> None:
    """A flow for runs that only Prefect's server knows."""


def test_the_form_explains_its_fields() -> None:
    fields = Decision.model_json_schema()["properties"]
    assert fields["promote"]["description"] == "Promote the canary. Otherwise, it is rolled back."
    assert fields["reason"]["description"] == "The reason for this decision. The release reports it."


def test_a_server_that_does_not_answer_returns_no_decision(prefect_server: str) -> None:
    request = ApprovalRequest(uuid4(), "1", keyset_from_base_key("paused-1"))
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        assert request.read_decision() is None


def new_request(api: SyncPrefectClient) -> ApprovalRequest:
    """A request in a new run that is running and not paused yet."""
    run, pause = api.create_flow_run(wait_for_nothing, state=Running()).id, uuid4().hex
    return ApprovalRequest(run, pause, keyset_from_paused_state(Paused(pause_key=pause)))


def test_a_throttled_server_does_not_end_the_request(prefect_server: str) -> None:
    with get_client(sync_client=True) as api:
        request = new_request(api)
    request.submit("Promote the canary?", timedelta(minutes=1))
    with lossy_prefect(prefect_server) as connection:
        connection.reads_to_throttle = 1
        assert request.read_decision() is None
        assert connection.reads_to_throttle == 0


@pytest.mark.parametrize("written", ["/set_state", "/input"])
def test_a_request_is_submitted_although_a_response_of_the_server_is_lost(written: str, prefect_server: str) -> None:
    with get_client(sync_client=True) as api:
        request = new_request(api)
        with lossy_prefect(prefect_server, written) as connection:
            connection.answers_to_lose = 1
            request.submit("Promote the canary?", timedelta(minutes=1))
            assert connection.answers_to_lose == 0
    assert read_flow_run_input(request.keyset["description"], request.run) == "Promote the canary?"
    resume(request.run, APPROVAL)
    assert request.read_decision() == Decision(promote=True, reason="few users at night")


def test_a_run_that_is_resumed_without_input_has_no_decision(prefect_server: str) -> None:
    with get_client(sync_client=True) as api:
        request = new_request(api)
        request.submit("Promote the canary?", timedelta(minutes=1))
        api.set_flow_run_state(request.run, Running())
    assert request.read_decision() == NoDecision(reason="the flow run was resumed without input")


def test_in_a_run_that_is_already_paused_no_approval_is_requested(prefect_server: str) -> None:
    with get_client(sync_client=True) as api:
        request = new_request(api)
        api.set_flow_run_state(request.run, Paused(timeout_seconds=60, pause_key="other"))
    with pytest.raises(
        Rejected, match=r"so no approval was requested: Cannot pause flows that are not currently running\."
    ):
        request.submit("Promote the canary?", timedelta(minutes=1))
