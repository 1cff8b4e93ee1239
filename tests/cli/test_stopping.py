"""What `slipway stop` reports of the runs that do not have the lock yet."""

import uuid

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from cli.stopping import describe_runs
from clients.prefect.api import PrefectApi
from clients.prefect.runs import Run


def waiting_run(name: str) -> Run:
    return Run(uuid.uuid4(), name, "PENDING", "Pending", "", None, None)


@pytest.mark.parametrize(
    ("names", "state"),
    [
        (("one",), "It does not have the lock on production yet, and ends before any change."),
        (("one", "two"), "They do not have the lock on production yet, and end before any change."),
    ],
)
def test_one_run_and_several_runs_are_described_in_a_sentence(
    names: tuple[str, ...], state: str, prefect_server: str
) -> None:
    with temporary_settings({PREFECT_API_URL: prefect_server}):
        sentence = describe_runs("production", PrefectApi.connect(), [waiting_run(name) for name in names])
    assert sentence.startswith("Asked to stop: one, pending (http")
    assert sentence.endswith(state)
