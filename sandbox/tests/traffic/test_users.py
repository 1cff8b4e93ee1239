import json
import random
import statistics

import pytest

from sandbox.application.events import flaw
from sandbox.traffic.users import Users


@pytest.fixture
def users() -> Users:
    return Users(random.Random(7))


def test_arrivals_are_a_poisson_process_of_the_wanted_rate(users: Users) -> None:
    gaps = [users.seconds_to_next(25) for _ in range(20_000)]
    assert statistics.mean(gaps) == pytest.approx(1 / 25, rel=0.05)
    # For exponential gaps the standard deviation is the mean; evenly spaced ones would have none.
    assert statistics.stdev(gaps) == pytest.approx(1 / 25, rel=0.05)


def test_two_thirds_look_and_one_third_reports(users: Users) -> None:
    requests = [users.next_request() for _ in range(3000)]
    assert sum(request.method == "GET" for request in requests) == pytest.approx(2000, abs=150)


def test_users_come_by_both_names_of_the_backend(users: Users) -> None:
    assert {users.next_request().host for _ in range(200)} == {"genai-demo.com", "api.genai-demo.com"}


def test_what_users_report_is_what_the_application_takes(users: Users) -> None:
    bodies = [request.body for _ in range(300) if (request := users.next_request()).body is not None]
    assert bodies
    assert [found for body in bodies if (found := flaw(json.loads(body)))] == []


def test_a_share_of_requests_asks_to_be_traced(users: Users) -> None:
    traced = [request for _ in range(4000) if "X-Amzn-Trace-Id" in (request := users.next_request()).headers]
    assert len(traced) == pytest.approx(200, abs=60)
    assert all(request.headers["X-Amzn-Trace-Id"].endswith(";Sampled=1") for request in traced)
