"""Each metric that an alarm or a widget uses is published, with the same dimensions."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from sandbox.application.exporter import KNOWN_COUNTERS
from tests.infrastructure.assembly import list_resources, read_properties, read_template
from tests.infrastructure.published import PUBLISHED

NAMESPACE = "GenAI/Demo/production"
# Micrometer's registry for CloudWatch adds the statistic to the name of a counter. These counters have no tags.
APPLICATION = {f"{name}.count": frozenset[str]() for name in KNOWN_COUNTERS}
SEARCH = re.compile(r"SEARCH\('\{([^,}]+),([^}]+)\} MetricName=\"(\w+)\" (.*?)', '(\w+)'\)")


class MetricUse(NamedTuple):
    """The use of a metric. user: the name of the alarm, or the title of the widget."""

    user: str
    namespace: str
    metric: str
    dimensions: frozenset[str]


def metrics_of_alarms() -> Iterator[MetricUse]:
    for alarm in (one["Properties"] for one in list_resources("AWS::CloudWatch::Alarm")):
        names = frozenset(dimension["Name"] for dimension in alarm.get("Dimensions", []))
        yield MetricUse(alarm["AlarmName"], alarm["Namespace"], alarm["MetricName"], names)


def metrics_of_widgets() -> Iterator[MetricUse]:
    text, values = read_properties("AWS::CloudWatch::Dashboard")["DashboardBody"]["Fn::Sub"]
    for widget in json.loads(text)["widgets"]:
        namespace = ""
        for metric in widget["properties"]["metrics"]:
            if isinstance(metric[0], dict):
                yield parse_search(widget["properties"]["title"], metric[0]["expression"])
                continue
            namespace = namespace if metric[0] == "." else metric[0]
            yield MetricUse(
                widget["properties"]["title"],
                namespace.replace("${Namespace}", values["Namespace"]),
                metric[1],
                frozenset(metric[2::2]),
            )


def parse_search(title: str, expression: str) -> MetricUse:
    found = SEARCH.search(expression)
    assert found, expression
    namespace, dimensions, metric, *_ = found.groups()
    return MetricUse(title, namespace, metric, frozenset(name.strip('"') for name in dimensions.split(",")))


USES = [*metrics_of_alarms(), *metrics_of_widgets()]


@pytest.mark.parametrize("use", USES, ids=lambda use: f"{use.user}: {use.metric}")
def test_a_metric_is_published_with_the_dimensions_of_its_use(use: MetricUse) -> None:
    published = {**PUBLISHED, NAMESPACE: APPLICATION}
    assert use.dimensions == published[use.namespace][use.metric]


def test_all_uses_of_metrics_are_found() -> None:
    dashboard = json.dumps(read_properties("AWS::CloudWatch::Dashboard"))
    assert len(list(metrics_of_alarms())) == len(list_resources("AWS::CloudWatch::Alarm"))
    assert sum("SEARCH" in part for part in dashboard.split("expression")) == len(
        [use for use in metrics_of_widgets() if use.namespace in ("AWS/ApplicationELB", "AWS/Kafka")]
    )


def test_the_application_is_allowed_to_publish_to_the_namespace_of_its_metrics() -> None:
    statements = [
        statement
        for policy in list_resources("AWS::IAM::Policy", "EKSStack")
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "cloudwatch:PutMetricData"
    ]
    assert [statement["Condition"] for statement in statements] == [
        {"StringEquals": {"cloudwatch:namespace": NAMESPACE}}
    ]


def test_the_dimensions_of_alarms_come_from_the_other_stacks() -> None:
    """They are parameters: a literal name would not follow a renamed resource."""
    parameters = read_template("ObservabilityStack")["Parameters"]
    for alarm in (one["Properties"] for one in list_resources("AWS::CloudWatch::Alarm")):
        for dimension in alarm.get("Dimensions", []):
            if dimension["Name"] != "Broker ID":
                assert parameter_of(dimension["Value"]) in parameters


def parameter_of(value: Any) -> str:
    """The parameter that a value refers to."""
    (name,) = re.findall(r'"Ref": "(\w+)"', json.dumps(value))
    return name


def test_each_broker_and_each_cache_node_has_an_alarm() -> None:
    brokers = {d["Value"] for alarm in broker_alarms() for d in alarm["Dimensions"] if d["Name"] == "Broker ID"}
    nodes = {
        tuple(re.findall(r"-\d{3}", json.dumps(d["Value"]))) for alarm in cache_alarms() for d in alarm["Dimensions"]
    }
    assert len(brokers) == read_properties("AWS::MSK::Cluster")["NumberOfBrokerNodes"]
    assert len(nodes) == read_properties("AWS::ElastiCache::ReplicationGroup")["NumCacheClusters"]


def broker_alarms() -> list[dict[str, Any]]:
    return [one["Properties"] for one in list_resources("AWS::CloudWatch::Alarm") if "Broker" in json.dumps(one)]


def cache_alarms() -> list[dict[str, Any]]:
    alarms = [one["Properties"] for one in list_resources("AWS::CloudWatch::Alarm")]
    return [alarm for alarm in alarms if alarm["Namespace"] == "AWS/ElastiCache"]
