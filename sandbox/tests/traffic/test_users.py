import json
import random
import statistics

import pytest

from sandbox.application.events import events_error
from sandbox.traffic.users import Users


@pytest.fixture
def users() -> Users:
    return Users(random.Random(7))


def test_arrivals_are_a_poisson_process_with_the_configured_rate(users: Users) -> None:
    gaps = [users.seconds_to_next(25) for _ in range(20_000)]
    assert statistics.mean(gaps) == pytest.approx(1 / 25, rel=0.05)
    # The standard deviation of exponential gaps is their mean. That of equal gaps would be 0.
    assert statistics.stdev(gaps) == pytest.approx(1 / 25, rel=0.05)


def test_two_thirds_are_gets_and_one_third_posts(users: Users) -> None:
    requests = [users.next_request() for _ in range(3000)]
    assert sum(request.method == "GET" for request in requests) == pytest.approx(2000, abs=150)


def test_users_use_both_names_of_the_backend(users: Users) -> None:
    assert {users.next_request().host for _ in range(200)} == {"genai-demo.com", "api.genai-demo.com"}


def test_the_application_accepts_the_events_of_users(users: Users) -> None:
    bodies = [request.body for _ in range(300) if (request := users.next_request()).body is not None]
    assert bodies
    assert [found for body in bodies if (found := events_error(json.loads(body)))] == []


def test_a_fraction_of_the_requests_is_traced(users: Users) -> None:
    traced = [request for _ in range(4000) if "X-Amzn-Trace-Id" in (request := users.next_request()).headers]
    assert len(traced) == pytest.approx(200, abs=60)
    assert all(request.headers["X-Amzn-Trace-Id"].endswith(";Sampled=1") for request in traced)
