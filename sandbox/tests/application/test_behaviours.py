"""The behaviours that an image can have. These tests need no brokers and no database."""

import http.client
import time
from contextlib import closing

import pytest

from sandbox.instance import Sandbox
from sandbox.testing import PATIENCE
from sandbox.tests.application.process import running


@pytest.fixture(autouse=True)
def cache(sandbox: Sandbox) -> None:
    sandbox.require("valkey", "nginx")


def test_errors_hit_some_users_and_no_probes(sandbox: Sandbox) -> None:
    with running(sandbox, BEHAVIOUR="errors") as application:
        statuses = [application.get("/api/products").status for _ in range(300)]
        assert statuses.count(500) == pytest.approx(90, abs=40)
        assert {application.get("/actuator/health/liveness").status for _ in range(50)} == {200}


def test_slow_answers_take_800_milliseconds_more(sandbox: Sandbox) -> None:
    with running(sandbox, BEHAVIOUR="slow") as application:
        started = time.monotonic()
        assert application.get("/api/products").status == 200
        assert time.monotonic() - started >= 0.8


def test_an_open_request_is_answered_before_the_process_ends(sandbox: Sandbox) -> None:
    with running(sandbox, BEHAVIOUR="slow") as application:
        with closing(http.client.HTTPConnection(application.host, 8080, timeout=PATIENCE)) as connection:
            connection.request("GET", "/api/products")
            # Connections are accepted in order: when the next one is answered, the first one was accepted.
            assert application.is_alive()
            application.process.terminate()
            assert connection.getresponse().status == 200
        assert application.process.wait(PATIENCE) == 0


def test_silent_answers_probes_and_no_users(sandbox: Sandbox) -> None:
    with running(sandbox, BEHAVIOUR="silent") as application:
        with pytest.raises(TimeoutError):
            application.get("/api/products", timeout=0.5)
        assert application.is_alive()
        # On SIGTERM, it would wait for the response that never comes.
        application.process.kill()


def test_a_crash_loop_ends_the_process_after_it_was_alive(sandbox: Sandbox) -> None:
    with running(sandbox, BEHAVIOUR="crash-loop") as application:
        assert application.process.wait(PATIENCE) == 1


def test_without_brokers_and_database_it_is_alive_and_not_ready(sandbox: Sandbox) -> None:
    unreachable = {"MSK_BOOTSTRAP_SERVERS": "127.0.0.1:1", "DB_PORT": "1"}
    with running(sandbox, **unreachable) as application:
        readiness = application.get("/actuator/health/readiness")
        assert (readiness.status, readiness.json()["status"]) == (503, "OUT_OF_SERVICE")
        assert application.get("/actuator/health").status == 503
        assert application.get("/actuator/health/liveness").status == 200
