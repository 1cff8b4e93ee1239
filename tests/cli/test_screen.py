from datetime import UTC, datetime, timedelta

from cli.lines import Kind, Line
from cli.screen import render

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SINCE = timedelta(minutes=3, seconds=5)


def test_a_task_shows_when_it_ended_how_and_how_long_it_took() -> None:
    line = Line(NOW, 1, Kind.TASK, "configure topic a", "Completed", took=timedelta(seconds=2.1))
    assert render(line, SINCE).plain.split() == ["3:05", "configure", "topic", "a", "done", "2.1", "s"]


def test_the_results_of_tasks_are_in_one_column() -> None:
    took = (timedelta(seconds=2.1), timedelta(minutes=12, seconds=3))
    lines = [Line(NOW, 1, Kind.TASK, "deploy MSKStack", "Completed", took=each, result="created") for each in took]
    first, second = (render(line, SINCE).plain for line in lines)
    assert first.index("created") == second.index("created")


def test_a_failed_task_shows_its_reason_below_it() -> None:
    line = Line(NOW, 0, Kind.TASK, "judge", "TimedOut", "no answer", timedelta(seconds=2))
    first, second = render(line, SINCE).plain.splitlines()
    assert "timed out" in first
    assert second.strip() == "no answer"


def test_a_line_of_several_lines_stays_below_itself() -> None:
    first, second = render(Line(NOW, 1, Kind.PROGRESS, "Plan\n1 create"), SINCE).plain.splitlines()
    assert first.index("Plan") == second.index("1 create")
