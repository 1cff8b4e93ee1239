"""Alarms and dashboard look at metrics that exist under the names they are asked for."""

import json

import pytest

from tests.infrastructure.assembly import list_resources, read_properties

WATCHED = {"GenAI/Demo/production", "AWS/RDS", "AWS/Kafka", "AWS/ElastiCache", "AWS/EKS"}


def list_alarms() -> list[dict]:
    return [alarm["Properties"] for alarm in list_resources("AWS::CloudWatch::Alarm")]


def list_widgets() -> list[dict]:
    body, _ = read_properties("AWS::CloudWatch::Dashboard")["DashboardBody"]["Fn::Sub"]
    return [widget["properties"] for widget in json.loads(body)["widgets"]]


def test_at_least_five_alarms_bear_the_environments_name() -> None:
    names = [alarm["AlarmName"] for alarm in list_alarms()]
    assert len(names) == len(set(names)) >= 5
    assert all(name.startswith("genai-demo-production-") for name in names)


def test_application_database_brokers_cache_and_cluster_are_watched() -> None:
    assert {alarm["Namespace"] for alarm in list_alarms()} == WATCHED


def test_every_alarm_tells_the_topic() -> None:
    assert all(alarm["AlarmActions"] and alarm["OKActions"] for alarm in list_alarms())


def test_brokers_are_watched_one_by_one_and_by_kafkas_names() -> None:
    dimensions = [
        {dimension["Name"] for dimension in alarm["Dimensions"]}
        for alarm in list_alarms()
        if alarm["MetricName"] == "KafkaDataLogsDiskUsed"
    ]
    assert dimensions == [{"Cluster Name", "Broker ID"}] * 3


def test_caches_are_watched_by_node() -> None:
    names = {
        d["Name"] for alarm in list_alarms() if alarm["Namespace"] == "AWS/ElastiCache" for d in alarm["Dimensions"]
    }
    assert names == {"CacheClusterId"}


def test_silence_of_the_application_is_an_alarm() -> None:
    (alarm,) = [one for one in list_alarms() if one["AlarmName"].endswith("events-missing")]
    assert alarm["TreatMissingData"] == "breaching"


def test_the_dashboard_has_the_guides_three_widgets() -> None:
    assert [widget["title"] for widget in list_widgets()] == [
        "Observability Event Processing",
        "Application Load Balancer Metrics",
        "MSK Cluster Metrics",
    ]


@pytest.mark.parametrize("widget", list_widgets(), ids=lambda widget: widget["title"])
def test_a_widget_shows_the_region_it_is_deployed_to(widget: dict) -> None:
    assert widget["region"] == "${AWS::Region}"


def test_the_load_balancer_is_searched_since_it_does_not_exist_yet() -> None:
    metrics = json.dumps(list_widgets()[1]["metrics"])
    _, values = read_properties("AWS::CloudWatch::Dashboard")["DashboardBody"]["Fn::Sub"]
    assert metrics.count("SEARCH(") == 5
    assert values["LoadBalancer"] == "genai demo production alb"


def test_events_are_summed_under_the_names_that_micrometer_gives_them() -> None:
    events = list_widgets()[0]
    assert events["stat"] == "Sum"
    assert all(metric[1].endswith(".count") for metric in events["metrics"])


def test_the_dashboard_asks_kafka_and_not_msk() -> None:
    metrics = json.dumps(list_widgets())
    assert "AWS/Kafka" in metrics
    assert "AWS/MSK" not in metrics
