"""Metrics and alarms as CloudWatch answers them, in place of moto: aligned periods and exact dimensions."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, cast

from moto.cloudwatch.exceptions import ValidationError
from moto.cloudwatch.models import Alarm, CloudWatchBackend, MetricAggregatedDatum, MetricDatumBase
from moto.cloudwatch.responses import CloudWatchResponse

from sandbox.aws.services.statistics import Datum, single, statistic

Points = dict[datetime, float]


def patch_cloudwatch() -> None:
    """Correct moto's metrics and alarms, and add PutCompositeAlarm, which it lacks."""
    backend = cast(Any, CloudWatchBackend)
    backend.put_metric_data = _put_metric_data
    backend.get_metric_data = _get_metric_data
    backend.get_filtered_metrics = _get_filtered_metrics
    backend.put_metric_alarm = _keeping_alarm_state(CloudWatchBackend.put_metric_alarm)
    cast(Any, CloudWatchResponse).put_composite_alarm = CloudWatchResponse.put_metric_alarm


def _keeping_alarm_state(put: Callable[..., Alarm]) -> Callable[..., Alarm]:
    """A new alarm is INSUFFICIENT_DATA, and an update keeps its state. In moto, it is OK in both cases."""

    def put_metric_alarm(self: CloudWatchBackend, name: str, **wanted: Any) -> Alarm:
        known = self.alarms.get(name)
        alarm = put(self, name=name, **wanted)
        alarm.state_value = known.state_value if known else "INSUFFICIENT_DATA"
        return alarm

    return put_metric_alarm


def _put_metric_data(self: CloudWatchBackend, namespace: str, metric_data: list[dict[str, Any]]) -> None:
    """Store one record per distinct value. moto stores one per count, too many for the counts of a load balancer."""
    for number, given in enumerate(metric_data, 1):
        self._validate_parameters_put_metric_data(given, number)
    for given in metric_data:
        for datum in _data(given):
            record = MetricAggregatedDatum(
                namespace=namespace,
                name=given["MetricName"],
                min_stat=datum.minimum,
                max_stat=datum.maximum,
                sample_count=datum.count,
                sum_stat=datum.total,
                dimensions=given.get("Dimensions", []),
                timestamp=given.get("Timestamp"),
                unit=given.get("Unit"),
            )
            self.metric_data.append(cast(MetricDatumBase, record))


def _data(given: dict[str, Any]) -> list[Datum]:
    if given.get("Values"):
        counts = given.get("Counts") or [1.0] * len(given["Values"])
        return [single(float(value), float(count)) for value, count in zip(given["Values"], counts, strict=True)]
    if given.get("StatisticValues"):
        found = {name: float(value) for name, value in given["StatisticValues"].items()}
        return [Datum(found["Sum"], found["Minimum"], found["Maximum"], found["SampleCount"])]
    return [single(float(given.get("Value", 0.0)))]


def _get_metric_data(
    self: CloudWatchBackend,
    queries: list[dict[str, Any]],
    start_time: datetime,
    end_time: datetime,
    scan_by: str = "TimestampAscending",
) -> list[dict[str, Any]]:
    if start_time >= end_time:
        raise ValidationError("The parameter StartTime must be less than the parameter EndTime.")
    unsupported = [query["Id"] for query in queries if "MetricStat" not in query]
    if unsupported:
        raise ValidationError(f"The sandbox supports only MetricStat queries, not the expressions {unsupported}.")
    data = self.get_all_metrics()
    return [_result(query, data, (start_time, end_time), scan_by) for query in queries]


def _result(
    query: dict[str, Any], data: Iterable[MetricDatumBase], span: tuple[datetime, datetime], scan_by: str
) -> dict[str, Any]:
    wanted = query["MetricStat"]
    points = sorted(_points(data, wanted, *span).items(), reverse=scan_by == "TimestampDescending")
    return {
        "id": query["Id"],
        "label": query.get("Label") or wanted["Metric"]["MetricName"],
        "timestamps": [timestamp for timestamp, _ in points],
        "values": [value for _, value in points],
        "status_code": "Complete",
    }


def _points(data: Iterable[MetricDatumBase], wanted: dict[str, Any], start: datetime, end: datetime) -> Points:
    """One value for each period that has data, by the start of the period, which is a multiple of its length."""
    metric, seconds = wanted["Metric"], int(wanted["Period"])
    dimensions = frozenset((item["Name"], item["Value"]) for item in metric.get("Dimensions", []))
    key = (metric["Namespace"], metric["MetricName"], dimensions)
    begin, finish = _aligned(_utc(start), seconds), _utc(end)
    periods: dict[datetime, list[Datum]] = defaultdict(list)
    for record in data:
        at = _aligned(_utc(record.timestamp), seconds)
        is_unit = wanted.get("Unit") in (None, record.unit)
        if begin <= at < finish and is_unit and _key(record) == key:
            periods[at].append(_datum(record))
    try:
        values = {at: statistic(wanted["Stat"], found) for at, found in periods.items()}
    except ValueError as error:
        raise ValidationError(str(error)) from error
    return {at: value for at, value in values.items() if value is not None}


def _datum(record: Any) -> Datum:
    if isinstance(record, MetricAggregatedDatum):
        return Datum(record.sum, record.min, record.max, record.sample_count)
    return single(record.value)


def _key(record: MetricDatumBase) -> tuple[str, str, frozenset[tuple[str | None, str | None]]]:
    return record.namespace, record.name, frozenset((item.name, item.value) for item in record.dimensions)


def _get_filtered_metrics(
    self: CloudWatchBackend, metric_name: str, namespace: str, dimensions: list[dict[str, str]]
) -> list[MetricDatumBase]:
    """List each metric once. moto lists it once per datum."""
    latest = {_key(record): record for record in self.get_all_metrics()}
    return [record for record in latest.values() if record.filter(namespace, metric_name, dimensions)]


def _aligned(at: datetime, seconds: int) -> datetime:
    return datetime.fromtimestamp(at.timestamp() // seconds * seconds, UTC)


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
