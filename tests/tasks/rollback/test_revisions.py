"""The health of the application after a rollback."""

import pytest

from delivery.check import inconclusive_check
from delivery.errors import ChecksFailed
from delivery.verification import judge_answer
from tasks.rollback.revisions import require_healthy

ROLLBACK, URL = "Revision 4 serves all traffic.", "https://api.example.com/health"


def test_a_rollback_to_a_healthy_revision_reports_its_answer() -> None:
    assert require_healthy(ROLLBACK, URL, judge_answer("backend", URL, 200)) == f"{ROLLBACK} {URL} answers 200."


@pytest.mark.parametrize(("status", "returned"), [(503, "HTTP 503"), (None, "no response within 30 s")])
def test_an_unhealthy_backend_is_reported_after_the_traffic(status: int | None, returned: str) -> None:
    with pytest.raises(ChecksFailed) as error:
        require_healthy(ROLLBACK, URL, judge_answer("backend", URL, status))
    assert str(error.value) == (
        f"{ROLLBACK} But {URL} returned {returned} (expected HTTP 200). Read the backend's log."
    )


def test_a_backend_that_could_not_be_checked_is_reported_as_such() -> None:
    with pytest.raises(ChecksFailed, match=r"But backend could not be checked: The certificate is unknown\."):
        require_healthy(ROLLBACK, URL, inconclusive_check("backend", "The certificate is unknown.", "HTTP 200"))
