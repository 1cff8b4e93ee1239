"""What an operator does by hand, and what others did by hand."""

import base64
import json

import pytest

from sandbox.aws.client import client
from tests.rehearsals.rehearsal import Rehearsal

pytestmark = pytest.mark.rehearsal
TOPIC = "genai-demo.production.observability.user.behavior"
NOBODY_LISTENS = "http://127.0.0.1:9/hook"


def test_a_release_puts_a_topic_back_and_arrives_though_its_notice_does_not(production: Rehearsal) -> None:
    change_retention(production, "1000")
    with production.installed_with(SLIPWAY_NOTICES__WEBHOOK_URL=NOBODY_LISTENS):
        ended = production.release(production.push("promoted"))
    assert ended.exit_code == 0, ended.output
    assert production.judged() == [(20, "pass"), (40, "pass"), (60, "pass"), (80, "pass")]
    assert "retention.ms: 1000 ms -> 90 days" in ended.output
    assert read_configuration(production)["retention.ms"] == "7776000000"
    assert ended.output.count("Not every channel took its notices; they are kept") == 1
    assert NOBODY_LISTENS not in ended.output


def test_a_stop_without_a_release_says_that_there_is_nothing_to_stop(production: Rehearsal) -> None:
    ended = production.slipway("stop", "production", "--reason", "by mistake")
    assert ended.exit_code == 4
    assert ended.sentence == "Nobody holds production: there is nothing to stop."


def change_retention(production: Rehearsal, milliseconds: str) -> None:
    configs = base64.b64encode(json.dumps({"retention.ms": milliseconds}).encode()).decode()
    kafka = client("kafka", production.sandbox.addresses, production.sandbox.settings)
    kafka.update_topic(ClusterArn=cluster_arn(kafka), TopicName=TOPIC, Configs=configs)


def read_configuration(production: Rehearsal) -> dict[str, str]:
    kafka = client("kafka", production.sandbox.addresses, production.sandbox.settings)
    told = kafka.describe_topic(ClusterArn=cluster_arn(kafka), TopicName=TOPIC)
    return json.loads(base64.b64decode(told["Configs"]))


def cluster_arn(kafka: object) -> str:
    return kafka.list_clusters_v2()["ClusterInfoList"][0]["ClusterArn"]  # pyright: ignore[reportAttributeAccessIssue]
