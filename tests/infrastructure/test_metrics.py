"""Every metric that an alarm or a widget looks at is published by somebody, with the dimensions it is asked by."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from sandbox.application.exporter import KNOWN_COUNTERS
from tests.infrastructure.assembly import list_resources, read_properties, read_template
from tests.infrastructure.published import PUBLISHED

NAMESPACE = "GenAI/Demo/production"
# Micrometer's registry for CloudWatch adds the statistic to a counter's name, and the application tags none of these.
APPLICATION = {f"{name}.count": frozenset[str]() for name in KNOWN_COUNTERS}
SEARCH = re.compile(r"SEARCH\('\{([^,}]+),([^}]+)\} MetricName=\"(\w+)\" (.*?)', '(\w+)'\)")


class Looked(NamedTuple):
    """One look at a metric: from where, at what, by which dimensions."""

    where: str
    namespace: str
    metric: str
    dimensions: frozenset[str]


def looks_of_alarms() -> Iterator[Looked]:
    for alarm in (one["Properties"] for one in list_resources("AWS::CloudWatch::Alarm")):
        names = frozenset(dimension["Name"] for dimension in alarm.get("Dimensions", []))
        yield Looked(alarm["AlarmName"], alarm["Namespace"], alarm["MetricName"], names)


def looks_of_widgets() -> Iterator[Looked]:
    text, values = read_properties("AWS::CloudWatch::Dashboard")["DashboardBody"]["Fn::Sub"]
    for widget in json.loads(text)["widgets"]:
        namespace = ""
        for metric in widget["properties"]["metrics"]:
            if isinstance(metric[0], dict):
                yield searched(widget["properties"]["title"], metric[0]["expression"])
                continue
            namespace = namespace if metric[0] == "." else metric[0]
            yield Looked(
                widget["properties"]["title"],
                namespace.replace("${Namespace}", values["Namespace"]),
                metric[1],
                frozenset(metric[2::2]),
            )


def searched(title: str, expression: str) -> Looked:
    found = SEARCH.search(expression)
    assert found, expression
    namespace, dimensions, metric, *_ = found.groups()
    return Looked(title, namespace, metric, frozenset(name.strip('"') for name in dimensions.split(",")))


LOOKS = [*looks_of_alarms(), *looks_of_widgets()]


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look.where}: {look.metric}")
def test_what_is_looked_at_is_published(look: Looked) -> None:
    published = {**PUBLISHED, NAMESPACE: APPLICATION}
    assert look.dimensions == published[look.namespace][look.metric]


def test_everything_that_is_looked_at_is_found() -> None:
    dashboard = json.dumps(read_properties("AWS::CloudWatch::Dashboard"))
    assert len(list(looks_of_alarms())) == len(list_resources("AWS::CloudWatch::Alarm"))
    assert sum("SEARCH" in look for look in dashboard.split("expression")) == len(
        [look for look in looks_of_widgets() if look.namespace in ("AWS/ApplicationELB", "AWS/Kafka")]
    )


def test_the_application_may_publish_to_the_namespace_that_is_looked_at() -> None:
    statements = [
        statement
        for policy in list_resources("AWS::IAM::Policy", "EKSStack")
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "cloudwatch:PutMetricData"
    ]
    assert [statement["Condition"] for statement in statements] == [
        {"StringEquals": {"cloudwatch:namespace": NAMESPACE}}
    ]


def test_what_alarms_watch_is_what_the_other_stacks_made() -> None:
    """By parameters alone: a name written twice would go on watching what was renamed."""
    parameters = read_template("ObservabilityStack")["Parameters"]
    for alarm in (one["Properties"] for one in list_resources("AWS::CloudWatch::Alarm")):
        for dimension in alarm.get("Dimensions", []):
            if dimension["Name"] != "Broker ID":
                assert referred(dimension["Value"]) in parameters


def referred(value: Any) -> str:
    """The parameter that a value is made of."""
    (name,) = re.findall(r'"Ref": "(\w+)"', json.dumps(value))
    return name


def test_every_node_of_brokers_and_cache_is_watched() -> None:
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
