"""Events of browsers reach the database and the cache through the brokers."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from sandbox.application.events import STREAMS
from sandbox.instance import Sandbox
from sandbox.testing import PATIENCE, eventually
from sandbox.tests.application.process import Application, page_view, running


@pytest.fixture(scope="module")
def database(sandbox: Sandbox) -> Iterator[psycopg.Connection[Any]]:
    sandbox.require("kafka", "postgres", "valkey", "nginx")
    host, port = sandbox.addresses.postgres.split(":")
    administrator: dict[str, Any] = {"host": host, "port": int(port), "user": "postgres", "autocommit": True}
    with psycopg.connect(dbname="postgres", **administrator) as connection:
        connection.execute("CREATE ROLE application_test LOGIN PASSWORD 'database password'")
        connection.execute("CREATE DATABASE application_test OWNER application_test")
    with psycopg.connect(dbname="application_test", **administrator) as connection:
        yield connection


@pytest.fixture(scope="module")
def application(sandbox: Sandbox, database: psycopg.Connection[Any]) -> Iterator[Application]:
    create_topics(sandbox)
    with running(sandbox) as application:
        eventually(lambda: application.get("/actuator/health/readiness").status == 200)
        yield application


def create_topics(sandbox: Sandbox) -> None:
    admin = AdminClient({"bootstrap.servers": ",".join(sandbox.addresses.kafka)})
    names = [f"genai-demo.application-test.observability.{stream}" for stream in STREAMS]
    for name in names:
        eventually(lambda name=name: is_created(admin, name))
    eventually(lambda: knows(admin, names))


def is_created(admin: AdminClient, name: str) -> bool:
    """False if librdkafka dropped the request, which it does when it learns which broker a bootstrap address is."""
    try:
        admin.create_topics([NewTopic(name, 3)])[name].result(20)
    except KafkaException as failure:
        error: KafkaError = failure.args[0]
        if error.code() == KafkaError._DESTROY_BROKER:
            return False
        if error.code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise
    return True


def knows(admin: AdminClient, names: list[str]) -> bool:
    try:
        return admin.list_topics(timeout=PATIENCE).topics.keys() >= set(names)
    except KafkaException:
        return False


def counted(application: Application, name: str) -> float:
    answer = application.get(f"/actuator/metrics/{name}")
    return answer.json()["measurements"][0]["value"] if answer.status == 200 else 0


def test_an_event_reaches_the_database_and_is_counted_in_the_cache(
    application: Application, database: psycopg.Connection[Any]
) -> None:
    before = application.get("/api/products").json()["pageViews"]
    assert application.post("/api/analytics/events", [page_view("flow-1")]).status == 200
    row = eventually(
        lambda: database.execute(
            "SELECT event_type, data->>'page' FROM analytics_events WHERE event_id = 'flow-1'"
        ).fetchone()
    )
    assert row == ("page_view", "/products")
    eventually(lambda: application.get("/api/products").json()["pageViews"] == before + 1)


def test_the_metrics_count_received_and_processed_events(application: Application) -> None:
    received, processed = (counted(application, f"observability.events.{name}") for name in ("received", "processed"))
    application.post("/api/analytics/events", [page_view("metrics-1"), page_view("metrics-2")])
    assert counted(application, "observability.events.received") == received + 2
    eventually(lambda: counted(application, "observability.events.processed") == processed + 2)


@pytest.mark.parametrize("body", [[], {}, [{"eventId": "x"}], [{**page_view("x"), "eventType": "dance"}]])
def test_a_body_that_is_not_a_list_of_events_is_rejected(application: Application, body: object) -> None:
    assert application.post("/api/analytics/events", body).status == 400


def test_every_answer_names_the_pod(application: Application) -> None:
    answers = [application.get(path) for path in ("/api/products", "/actuator/health", "/nowhere")]
    assert {answer.headers["X-Served-By"] for answer in answers} == {"application-test"}


def test_requests_are_counted_by_the_status_of_their_response(application: Application) -> None:
    def not_found() -> float:
        path = "/actuator/metrics/http.server.requests?tag=status:404"
        return application.get(path).json()["measurements"][0]["value"]

    def stable_count() -> list[float]:
        """Requests are counted after the response, so those of earlier tests may be counted a moment later."""
        seen = [not_found() for _ in range(5)]
        return seen[-1:] if len(set(seen)) == 1 else []

    (before,) = eventually(stable_count)
    application.get("/nowhere")
    eventually(lambda: not_found() == before + 1)


def test_health_lists_each_component(application: Application) -> None:
    health = application.get("/actuator/health").json()
    assert health["components"] == {name: {"status": "UP"} for name in ("kafka", "db", "redis")}
    assert application.get("/actuator/health/db").json() == {"status": "UP"}


def test_prometheus_reads_the_counts_of_requests(application: Application) -> None:
    application.get("/api/products")
    text = application.get("/actuator/prometheus").body.decode()
    assert 'http_server_requests_seconds_count{method="GET",uri="/api/products",status="200"}' in text
