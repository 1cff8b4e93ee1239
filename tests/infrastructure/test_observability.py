"""The alarms and the dashboard."""

import json

import pytest

from tests.infrastructure.assembly import list_resources, read_properties

NAMESPACES = {"GenAI/Demo/production", "AWS/RDS", "AWS/Kafka", "AWS/ElastiCache", "AWS/EKS"}


def list_alarms() -> list[dict]:
    return [alarm["Properties"] for alarm in list_resources("AWS::CloudWatch::Alarm")]


def list_widgets() -> list[dict]:
    body, _ = read_properties("AWS::CloudWatch::Dashboard")["DashboardBody"]["Fn::Sub"]
    return [widget["properties"] for widget in json.loads(body)["widgets"]]


def test_at_least_five_alarms_have_the_prefix_of_the_environment() -> None:
    names = [alarm["AlarmName"] for alarm in list_alarms()]
    assert len(names) == len(set(names)) >= 5
    assert all(name.startswith("genai-demo-production-") for name in names)


def test_application_database_brokers_cache_and_cluster_have_alarms() -> None:
    assert {alarm["Namespace"] for alarm in list_alarms()} == NAMESPACES


def test_each_alarm_notifies_the_topic() -> None:
    assert all(alarm["AlarmActions"] and alarm["OKActions"] for alarm in list_alarms())


def test_each_broker_has_an_alarm_with_the_dimensions_of_kafka() -> None:
    dimensions = [
        {dimension["Name"] for dimension in alarm["Dimensions"]}
        for alarm in list_alarms()
        if alarm["MetricName"] == "KafkaDataLogsDiskUsed"
    ]
    assert dimensions == [{"Cluster Name", "Broker ID"}] * 3


def test_the_alarms_of_the_cache_are_for_each_node() -> None:
    names = {
        d["Name"] for alarm in list_alarms() if alarm["Namespace"] == "AWS/ElastiCache" for d in alarm["Dimensions"]
    }
    assert names == {"CacheClusterId"}


def test_missing_data_of_the_application_is_breaching() -> None:
    (alarm,) = [one for one in list_alarms() if one["AlarmName"].endswith("events-missing")]
    assert alarm["TreatMissingData"] == "breaching"


def test_the_dashboard_has_the_three_widgets_of_the_guide() -> None:
    assert [widget["title"] for widget in list_widgets()] == [
        "Observability Event Processing",
        "Application Load Balancer Metrics",
        "MSK Cluster Metrics",
    ]


@pytest.mark.parametrize("widget", list_widgets(), ids=lambda widget: widget["title"])
def test_a_widget_shows_the_region_of_its_stack(widget: dict) -> None:
    assert widget["region"] == "${AWS::Region}"


def test_the_widget_of_the_load_balancer_uses_a_search_because_it_does_not_exist_yet() -> None:
    metrics = json.dumps(list_widgets()[1]["metrics"])
    _, values = read_properties("AWS::CloudWatch::Dashboard")["DashboardBody"]["Fn::Sub"]
    assert metrics.count("SEARCH(") == 5
    assert values["LoadBalancer"] == "genai demo production alb"


def test_the_widget_of_events_sums_the_metrics_of_micrometer() -> None:
    events = list_widgets()[0]
    assert events["stat"] == "Sum"
    assert all(metric[1].endswith(".count") for metric in events["metrics"])


def test_the_dashboard_uses_the_namespace_aws_kafka() -> None:
    metrics = json.dumps(list_widgets())
    assert "AWS/Kafka" in metrics
    assert "AWS/MSK" not in metrics
