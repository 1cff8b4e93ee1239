from datetime import UTC, datetime
from typing import Any

from sandbox.load_balancer.metrics import Period

START = datetime(2026, 1, 1, tzinfo=UTC)
BALANCER, GROUP = "app/site/1", "targetgroup/canary/2"


def values(period: Period, dimensions: int) -> dict[str, float]:
    """Counts by name, of the load balancer (1 dimension) or of its target group (2 dimensions)."""
    data: list[dict[str, Any]] = period.metric_data(START)
    return {
        item["MetricName"]: item["Value"] for item in data if len(item["Dimensions"]) == dimensions and "Value" in item
    }


def test_a_period_without_requests_has_no_metrics() -> None:
    assert Period().metric_data(START) == []


def test_answers_are_counted_by_class_and_never_as_0() -> None:
    period = Period()
    period.count_answer(BALANCER, GROUP, 200, 0.01)
    period.count_answer(BALANCER, GROUP, 503, 0.02)
    assert values(period, 2) == {"RequestCount": 2, "HTTPCode_Target_2XX_Count": 1, "HTTPCode_Target_5XX_Count": 1}
    assert values(period, 1) == values(period, 2)


def test_unanswered_requests_are_the_requests_minus_the_responses() -> None:
    period = Period()
    period.count_answer(BALANCER, GROUP, 200, 0.01)
    period.count_unanswered(BALANCER, GROUP, 504)
    assert values(period, 2) == {"RequestCount": 2, "HTTPCode_Target_2XX_Count": 1}


def test_errors_of_the_load_balancer_have_no_target_group() -> None:
    period = Period()
    period.count_unanswered(BALANCER, GROUP, 502)
    assert "HTTPCode_ELB_5XX_Count" not in values(period, 2)
    assert values(period, 1)["HTTPCode_ELB_5XX_Count"] == 1


def test_response_times_are_single_values_in_seconds() -> None:
    period = Period()
    for _ in range(151):
        period.count_answer(BALANCER, GROUP, 200, 0.25)
    data = [item for item in period.metric_data(START) if item["MetricName"] == "TargetResponseTime"]
    of_group = [item for item in data if len(item["Dimensions"]) == 2]
    assert [len(item["Values"]) for item in of_group] == [150, 1]
    assert of_group[0]["Values"][0] == 0.25
    assert of_group[0]["Unit"] == "Seconds"
