"""The counts of the load balancer, as CloudWatch metrics in the namespace AWS/ApplicationELB."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

NAMESPACE = "AWS/ApplicationELB"
VALUES_PER_DATUM = 150
DATA_PER_CALL = 500

# (name, value) pairs, in the order of CloudWatch.
Dimensions = tuple[tuple[str, str], ...]


def of_load_balancer(load_balancer: str) -> Dimensions:
    return (("LoadBalancer", load_balancer),)


def of_group(load_balancer: str, group: str) -> Dimensions:
    return (("TargetGroup", group), ("LoadBalancer", load_balancer))


class Period:
    """The counts of one period. All counts of a request are in the period in which it ended.

    So the number of requests that no target answered is exactly the requests minus the responses of all classes.
    """

    def __init__(self) -> None:
        self._counts: Counter[tuple[Dimensions, str]] = Counter()
        self._seconds: defaultdict[Dimensions, list[float]] = defaultdict(list)

    def count_answer(self, load_balancer: str, group: str, status: int, seconds: float) -> None:
        """Count a response of a target. seconds: from sending the request to the head of the response."""
        for dimensions in (of_load_balancer(load_balancer), of_group(load_balancer, group)):
            self._counts[dimensions, "RequestCount"] += 1
            self._counts[dimensions, f"HTTPCode_Target_{status // 100}XX_Count"] += 1
            self._seconds[dimensions].append(seconds)

    def count_unanswered(self, load_balancer: str, group: str, status: int) -> None:
        """Count a request that no target answered. status: of the load balancer; 460 if the client disconnected."""
        for dimensions in (of_load_balancer(load_balancer), of_group(load_balancer, group)):
            self._counts[dimensions, "RequestCount"] += 1
        if status >= 500:
            self._counts[of_group(load_balancer, group), "TargetConnectionErrorCount"] += status == 502
        self.count_own(load_balancer, status)

    def count_own(self, load_balancer: str, status: int) -> None:
        """Count a response of the load balancer itself. This metric has no target group."""
        self._counts[of_load_balancer(load_balancer), f"HTTPCode_ELB_{status // 100}XX_Count"] += 1

    def metric_data(self, start: datetime) -> list[dict[str, Any]]:
        """The metrics of the period. As on AWS, counts of zero are omitted."""
        counts = [
            datum(dimensions, name, start, Value=float(count), Unit="Count")
            for (dimensions, name), count in sorted(self._counts.items())
            if count
        ]
        return counts + [
            item for dimensions, seconds in self._seconds.items() for item in times(dimensions, start, seconds)
        ]


def times(dimensions: Dimensions, start: datetime, seconds: list[float]) -> Iterator[dict[str, Any]]:
    for first in range(0, len(seconds), VALUES_PER_DATUM):
        values = [round(value, 6) for value in seconds[first : first + VALUES_PER_DATUM]]
        yield datum(dimensions, "TargetResponseTime", start, Values=values, Counts=[1.0] * len(values), Unit="Seconds")


def host_counts(load_balancer: str, group: str, healthy: int, unhealthy: int, start: datetime) -> list[dict[str, Any]]:
    dimensions = of_group(load_balancer, group)
    return [
        datum(dimensions, "HealthyHostCount", start, Value=float(healthy), Unit="Count"),
        datum(dimensions, "UnHealthyHostCount", start, Value=float(unhealthy), Unit="Count"),
    ]


def datum(dimensions: Dimensions, name: str, start: datetime, **values: Any) -> dict[str, Any]:
    pairs: list[Mapping[str, str]] = [{"Name": key, "Value": value} for key, value in dimensions]
    return {"MetricName": name, "Dimensions": pairs, "Timestamp": start, **values}


def publish(cloudwatch: Any, data: list[dict[str, Any]]) -> None:
    for first in range(0, len(data), DATA_PER_CALL):
        cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=data[first : first + DATA_PER_CALL])
