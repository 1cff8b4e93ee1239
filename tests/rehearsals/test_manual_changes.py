"""What an operator does manually, and what others changed manually."""

import base64
import json

import pytest

from sandbox.aws.client import client
from tests.rehearsals.rehearsal import Rehearsal

pytestmark = pytest.mark.rehearsal
TOPIC = "genai-demo.production.observability.user.behavior"
NO_LISTENER = "http://127.0.0.1:9/hook"


def test_a_release_resets_a_topic_and_completes_although_its_notice_fails(production: Rehearsal) -> None:
    change_retention(production, "1000")
    with production.installed_with(SLIPWAY_NOTICES__WEBHOOK_URL=NO_LISTENER):
        ended = production.release(production.push("promoted"))
    assert ended.exit_code == 0, ended.output
    assert production.judged() == [(20, "pass"), (40, "pass"), (60, "pass"), (80, "pass")]
    assert "retention.ms: 1000 ms -> 90 days" in ended.output
    assert read_configuration(production)["retention.ms"] == "7776000000"
    assert ended.output.count("A channel did not accept its notifications. They are sent again") == 1
    assert NO_LISTENER not in ended.output


def test_a_stop_without_a_release_says_that_there_is_nothing_to_stop(production: Rehearsal) -> None:
    ended = production.slipway("stop", "production", "--reason", "by mistake")
    assert ended.exit_code == 4
    assert ended.sentence == "production is not locked and no run waits for its lock: there is nothing to stop."


def change_retention(production: Rehearsal, milliseconds: str) -> None:
    configs = base64.b64encode(json.dumps({"retention.ms": milliseconds}).encode()).decode()
    kafka = client("kafka", production.sandbox.addresses, production.sandbox.settings)
    kafka.update_topic(ClusterArn=cluster_arn(kafka), TopicName=TOPIC, Configs=configs)


def read_configuration(production: Rehearsal) -> dict[str, str]:
    kafka = client("kafka", production.sandbox.addresses, production.sandbox.settings)
    answer = kafka.describe_topic(ClusterArn=cluster_arn(kafka), TopicName=TOPIC)
    return json.loads(base64.b64decode(answer["Configs"]))


def cluster_arn(kafka: object) -> str:
    return kafka.list_clusters_v2()["ClusterInfoList"][0]["ClusterArn"]  # pyright: ignore[reportAttributeAccessIssue]
