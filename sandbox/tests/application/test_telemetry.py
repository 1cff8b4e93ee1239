"""Metrics and traces that a pod sends to CloudWatch and X-Ray."""

import http.client
import json
import secrets
import time
from contextlib import closing
from typing import Any

from sandbox.application.tracing import Span, segment_document
from sandbox.aws.client import client
from sandbox.instance import Sandbox
from sandbox.testing import PATIENCE, eventually
from sandbox.tests.application.process import Application, running


def span(header: str, status: int = 200) -> Span:
    return Span(header, "GET", "api.genai-demo.com", "/api/products", status, 1000.0, 0.25)


def test_only_a_sampled_request_is_traced() -> None:
    assert span("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1").is_sampled()
    assert not span("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0").is_sampled()
    assert not span("Root=1-5759e988-bd862e3fe1be46a994272793").is_sampled()
    assert not span("").is_sampled()


def test_a_segment_has_the_trace_and_the_response() -> None:
    document = json.loads(
        segment_document(span("Self=1-0-0;Root=1-5759e988-bd86;Parent=53995c3f;Sampled=1", 503), "pod-1")
    )
    assert (document["trace_id"], document["parent_id"]) == ("1-5759e988-bd86", "53995c3f")
    assert (document["start_time"], document["end_time"]) == (1000.0, 1000.25)
    assert document["http"]["response"] == {"status": 503}
    assert (document["error"], document["fault"]) == (False, True)


def test_metrics_and_traces_reach_aws(sandbox: Sandbox) -> None:
    sandbox.require("aws", "valkey", "nginx")
    environment = f"telemetry-{secrets.token_hex(4)}"
    trace = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    credentials = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
    with running(
        sandbox, ENVIRONMENT=environment, AWS_ENDPOINT_URL=sandbox.addresses.aws, **credentials
    ) as application:
        ask_traced(application, trace)
        names = eventually(lambda: metric_names(sandbox, f"GenAI/Demo/{environment}"))
        xray = client("xray", sandbox.addresses, sandbox.settings)
        found = eventually(lambda: xray.batch_get_traces(TraceIds=[trace])["Traces"])
    assert len(names) >= 10
    assert names >= {f"observability.events.{name}.count" for name in ("received", "processed", "failed")}
    assert found[0]["Id"] == trace


def ask_traced(application: Application, trace: str) -> None:
    with closing(http.client.HTTPConnection(application.host, 8080, timeout=PATIENCE)) as connection:
        connection.request("GET", "/api/products", headers={"X-Amzn-Trace-Id": f"Root={trace};Sampled=1"})
        connection.getresponse().read()


def metric_names(sandbox: Sandbox, namespace: str) -> set[str]:
    cloudwatch: Any = client("cloudwatch", sandbox.addresses, sandbox.settings)
    return {metric["MetricName"] for metric in cloudwatch.list_metrics(Namespace=namespace)["Metrics"]}
