"""The requests that the load balancer counted for each arm of a canary, from CloudWatch."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from clients.aws.session import aws_client, translated
from delivery.canary.counts import Counts, Period, Slow, count_requests, count_slow
from delivery.errors import Unavailable
from delivery.rollout.weights import TargetGroups

NAMESPACE = "AWS/ApplicationELB"
REQUESTS = "RequestCount"
RESPONSES = tuple(f"HTTPCode_Target_{family}XX_Count" for family in (2, 3, 4, 5))
RESPONSE_TIME = "TargetResponseTime"
COMPLETE = "Complete"


@dataclass(frozen=True)
class Series:
    """One metric of CloudWatch. group_arn: of the target group; None for the whole load balancer."""

    group_arn: str | None
    metric: str
    statistic: str = "Sum"


# (series, start of the period) -> value
Points = Mapping[tuple[Series, datetime], float]


@dataclass(frozen=True)
class LoadBalancerCounts:
    """A source of counts for the judge. Another source has the same method `read`.

    It returns a Period for each start. A Period without requests has no data. `slow` is None if the source does not
    count slow requests. It raises Unavailable if it cannot read the counts.
    """

    load_balancer_arn: str
    region: str
    period: timedelta
    slow_after: timedelta

    def read(self, arms: TargetGroups, starts: Iterable[datetime]) -> tuple[Period, ...]:
        arn, region = self.load_balancer_arn, self.region
        return read_periods(arn, arms, region, starts=starts, period=self.period, slow_after=self.slow_after)


def read_periods(
    load_balancer_arn: str,
    arms: TargetGroups,
    region: str,
    *,
    starts: Iterable[datetime],
    period: timedelta,
    slow_after: timedelta,
) -> tuple[Period, ...]:
    """A Period for each start, with the counts of both arms that are published so far.

    starts: whole multiples of period, because CloudWatch aggregates by them. slow_after: the latency objective. A
    missing data point is a zero, because a load balancer publishes no zeros. Raises Unavailable for a partial response.
    """
    starts, groups = tuple(starts), sorted(arms.stable | arms.canary)
    if not starts or not groups:
        return ()
    within = f"PR(:{slow_after.total_seconds():g})"
    wanted = _series_of(groups, within)
    points = _read_points(wanted, load_balancer_arn, region, starts[0], starts[-1] + period, period)
    return tuple(
        Period(at, _count(points, arms.stable, at), _count(points, arms.canary, at), _slow(points, arms, within, at))
        for at in starts
    )


def _series_of(groups: Sequence[str], within: str) -> list[Series]:
    """within: the statistic for the percentage of responses within the latency objective."""
    counts = [Series(group, metric) for group in groups for metric in (REQUESTS, *RESPONSES)]
    return counts + [
        Series(group, RESPONSE_TIME, statistic) for group in groups for statistic in ("SampleCount", within)
    ]


def read_requests(
    load_balancer_arn: str, region: str, *, starts: Sequence[datetime], period: timedelta
) -> tuple[float, ...]:
    """The number of requests to all targets in each period. starts: at least one."""
    series = Series(None, REQUESTS)
    points = _read_points([series], load_balancer_arn, region, starts[0], starts[-1] + period, period)
    return tuple(points.get((series, at), 0.0) for at in starts)


def _read_points(
    wanted: Sequence[Series], load_balancer_arn: str, region: str, start: datetime, end: datetime, period: timedelta
) -> Points:
    """All data points of the series. A series can continue on several pages."""
    points: dict[tuple[Series, datetime], float] = {}
    ended: dict[str, str] = {}
    queries = [_query(f"m{index}", load_balancer_arn, series, period) for index, series in enumerate(wanted)]
    with translated("read the load balancer's metrics"):
        paginator = aws_client("cloudwatch", region).get_paginator("get_metric_data")
        for page in paginator.paginate(MetricDataQueries=queries, StartTime=start, EndTime=end):
            for found in page["MetricDataResults"]:
                series, ended[found["Id"]] = wanted[int(found["Id"][1:])], found["StatusCode"]
                points |= {(series, at): value for at, value in zip(found["Timestamps"], found["Values"], strict=True)}
    _require_complete(points, ended.values())
    return points


def _require_complete(points: Points, ended: Iterable[str]) -> None:
    if partial := sorted(set(ended) - {COMPLETE}):
        raise Unavailable(f"CloudWatch returned only part of the load balancer's metrics ({', '.join(partial)}).")
    for (series, at), value in points.items():
        if not math.isfinite(value):
            raise Unavailable(f"CloudWatch's {series.metric} at {at:%H:%M:%S} UTC is {value}, which is not a count.")


def _count(points: Points, groups: Iterable[str], at: datetime) -> Counts:
    """The counts of one arm in one period, summed over its target groups."""
    total = Counts()
    for group in groups:
        responses = [round(points.get((Series(group, metric), at), 0)) for metric in RESPONSES]
        total += count_requests(round(points.get((Series(group, REQUESTS), at), 0)), responses)
    return total


def _slow(points: Points, arms: TargetGroups, within: str, at: datetime) -> Slow | None:
    """The slow responses of both arms; None if the response times of an arm are missing."""
    stable, canary = (_slow_of(points, groups, within, at) for groups in (arms.stable, arms.canary))
    return None if stable is None or canary is None else Slow(stable, canary)


def _slow_of(points: Points, groups: Iterable[str], within: str, at: datetime) -> int | None:
    total = 0
    for group in groups:
        responses, in_time = (points.get((Series(group, RESPONSE_TIME, name), at)) for name in ("SampleCount", within))
        if responses and in_time is None:
            return None
        total += count_slow(responses or 0, in_time or 0)
    return total


def _query(name: str, load_balancer_arn: str, series: Series, period: timedelta) -> dict[str, Any]:
    dimensions = {"LoadBalancer": load_balancer_arn.partition("loadbalancer/")[2]}
    if series.group_arn:
        dimensions["TargetGroup"] = series.group_arn.rpartition(":")[2]
    stat = {
        "Metric": {
            "Namespace": NAMESPACE,
            "MetricName": series.metric,
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        },
        "Period": int(period.total_seconds()),
        "Stat": series.statistic,
    }
    return {"Id": name, "MetricStat": stat, "ReturnData": True}
