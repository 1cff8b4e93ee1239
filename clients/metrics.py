"""What the load balancer counted for each arm of a canary, from CloudWatch."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from clients.aws import aws_client, translated
from delivery.canary import Counts, Period, count_arm
from delivery.weights import Arms

NAMESPACE = "AWS/ApplicationELB"
REQUESTS = "RequestCount"
ANSWERS = tuple(f"HTTPCode_Target_{family}XX_Count" for family in (2, 3, 4, 5))

# Target group ARN, metric and the start of the period -> Sum.
Sums = Mapping[tuple[str, str, datetime], float]


def read_periods(
    load_balancer_arn: str, arms: Arms, region: str, *, starts: Iterable[datetime], period: timedelta
) -> tuple[Period, ...]:
    """A Period for each start, with what both arms have counted so far.

    starts: whole multiples of period, as CloudWatch groups its points. No point is zero: a load balancer publishes
    none for what did not happen.
    """
    starts = tuple(starts)
    groups = sorted(arms.stable | arms.canary)
    if not starts or not groups:
        return ()
    keys = [(group, metric) for group in groups for metric in (REQUESTS, *ANSWERS)]
    queries = [_query(f"m{index}", load_balancer_arn, *key, period) for index, key in enumerate(keys)]
    found = _read_points(queries, region, starts[0], starts[-1] + period)
    sums = {(*keys[index], at): value for (index, at), value in found.items()}
    return tuple(Period(at, _count(sums, arms.stable, at), _count(sums, arms.canary, at)) for at in starts)


def _read_points(
    queries: list[dict[str, Any]], region: str, start: datetime, end: datetime
) -> dict[tuple[int, datetime], float]:
    """Query's index and time -> value; a series may go on over several pages."""
    points: dict[tuple[int, datetime], float] = defaultdict(float)
    with translated("read the load balancer's metrics"):
        paginator = aws_client("cloudwatch", region).get_paginator("get_metric_data")
        for page in paginator.paginate(MetricDataQueries=queries, StartTime=start, EndTime=end):
            for series in page["MetricDataResults"]:
                for at, value in zip(series["Timestamps"], series["Values"], strict=True):
                    points[int(series["Id"][1:]), at] = value
    return points


def _count(sums: Sums, groups: Iterable[str], at: datetime) -> Counts:
    """One arm in one period: the Sum over its target groups."""
    total = Counts()
    for group in groups:
        answers = [int(sums.get((group, metric, at), 0)) for metric in ANSWERS]
        total += count_arm(int(sums.get((group, REQUESTS, at), 0)), answers)
    return total


def _query(name: str, load_balancer_arn: str, group_arn: str, metric: str, period: timedelta) -> dict[str, Any]:
    dimensions = {
        "LoadBalancer": load_balancer_arn.partition("loadbalancer/")[2],
        "TargetGroup": group_arn.rpartition(":")[2],
    }
    stat = {
        "Metric": {
            "Namespace": NAMESPACE,
            "MetricName": metric,
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        },
        "Period": int(period.total_seconds()),
        "Stat": "Sum",
    }
    return {"Id": name, "MetricStat": stat, "ReturnData": True}
