"""The application as a process, with a client for tests."""

import http.client
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from sandbox.instance import Sandbox
from sandbox.settings import SECRET_ACCESS_KEY
from sandbox.testing import PATIENCE, eventually

HOSTS = itertools.count(1)


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Application:
    process: subprocess.Popen[bytes]
    host: str

    def get(self, path: str, timeout: float = 10) -> Answer:
        return self._request("GET", path, None, timeout)

    def post(self, path: str, body: object) -> Answer:
        return self._request("POST", path, json.dumps(body).encode(), 10)

    def is_alive(self) -> bool:
        try:
            return self.get("/actuator/health/liveness").status == 200
        except OSError:
            return False

    def _request(self, method: str, path: str, body: bytes | None, timeout: float) -> Answer:
        with closing(http.client.HTTPConnection(self.host, 8080, timeout=timeout)) as connection:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())


def variables(sandbox: Sandbox, host: str) -> dict[str, str]:
    """The environment of a pod, with TLS to the database and the cache."""
    return {
        "PATH": os.environ["PATH"],
        "POD_IP": host,
        "HOSTNAME": "application-test",
        "ENVIRONMENT": "application-test",
        "SPRING_PROFILES_ACTIVE": "msk",
        "MSK_BOOTSTRAP_SERVERS": ",".join(sandbox.addresses.kafka_iam),
        "DB_HOST": "localhost",
        "DB_PORT": sandbox.addresses.postgres_tls.split(":")[1],
        "DB_NAME": "application_test",
        "DB_USERNAME": "application_test",
        "DB_PASSWORD": "database password",
        "REDIS_HOST": "localhost",
        "REDIS_PORT": sandbox.addresses.valkey_tls.split(":")[1],
        "REDIS_TLS": "true",
        "SSL_CERT_FILE": str(sandbox.state / "ca" / "ca.pem"),
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "METRIC_STEP_SECONDS": "0.5",
    }


@contextmanager
def running(sandbox: Sandbox, **more: str) -> Iterator[Application]:
    """Run the application as a process that answers, and stop it afterwards."""
    host = f"{sandbox.addresses.pod_network}.210.{next(HOSTS)}"
    command = [sys.executable, "-m", "sandbox.application"]
    process = subprocess.Popen(command, env={**variables(sandbox, host), **more})
    application = Application(process, host)
    try:
        eventually(application.is_alive)
        yield application
    finally:
        process.terminate()
        process.wait(PATIENCE)


def page_view(event_id: str) -> dict[str, object]:
    return {
        "eventId": event_id,
        "eventType": "page_view",
        "sessionId": "session-1",
        "traceId": "trace-1",
        "timestamp": time.time_ns() // 1_000_000,
        "data": {"page": "/products"},
    }
