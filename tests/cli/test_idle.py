from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from cli.idle import Entry, fold_idle_phases
from cli.lines import Kind, Line
from clients.prefect.api import Run

START = datetime(2026, 1, 1, tzinfo=UTC)
END = START + timedelta(seconds=12)
LATER = END + timedelta(seconds=3)
PHASE = Run(uuid4(), "deploy infrastructure of release 2", "COMPLETED", "Completed", "", START, END)
HEADING = Line(START, 0, Kind.PHASE, PHASE.name, of=PHASE.id)
READ = Line(START, 1, Kind.TASK, "read the cloud assembly", "Completed", of=PHASE.id)
LEFT_ALONE = Line(END, 1, Kind.TASK, "deploy MSKStack", "Completed", result="nothing to do", of=PHASE.id)
CREATED = replace(LEFT_ALONE, text="deploy RDSStack", result="created, 12 resources")
FAILED = replace(LEFT_ALONE, state="Failed", result="")
RETRIED = Line(START, 1, Kind.PROGRESS, "deploy MSKStack: throttled. Retrying in 2.0 s (1 of 4).", of=PHASE.id)
IN_PROGRESS = replace(PHASE, state_type="RUNNING", state_name="Running", ended=None)


def fold(*lines: Line, run: Run = PHASE, until: datetime = LATER) -> list[str]:
    found: list[Entry] = [((uuid4(), "line"), line) for line in lines]
    return [line.text for _, line in fold_idle_phases(found, [run], until)]


def test_a_phase_with_nothing_to_do_is_one_line() -> None:
    assert fold(HEADING, READ, LEFT_ALONE, LEFT_ALONE) == ["infrastructure: nothing to do (2 stacks), 12 s"]


@pytest.mark.parametrize("other", [CREATED, FAILED, RETRIED], ids=lambda line: line.text)
def test_a_phase_in_which_something_happened_is_shown_in_full(other: Line) -> None:
    lines = (HEADING, READ, LEFT_ALONE, other)
    assert fold(*lines) == [line.text for line in lines]


def test_a_phase_in_progress_is_not_shown_until_something_in_it_was_done() -> None:
    assert fold(HEADING, READ, LEFT_ALONE, run=IN_PROGRESS) == []
    assert fold(HEADING, READ, CREATED, run=IN_PROGRESS) == [HEADING.text, READ.text, CREATED.text]


def test_a_phase_is_not_summed_up_before_its_lines_can_be_there() -> None:
    without_result = replace(LEFT_ALONE, result="")
    assert fold(HEADING, without_result, until=END - timedelta(seconds=1)) == []
    assert fold(HEADING, without_result) == [HEADING.text, without_result.text]


def test_the_line_of_a_task_that_has_not_ended_by_its_state_decides_nothing() -> None:
    early = Line(START, 1, Kind.PROGRESS, "MSKStack: nothing to do", of=PHASE.id)
    assert fold(HEADING, early, run=IN_PROGRESS) == []


def test_other_phases_and_the_rest_of_the_run_are_shown_as_they_come() -> None:
    canary = replace(IN_PROGRESS, name="roll out release 2")
    assert fold(HEADING, READ, run=canary) == [HEADING.text, READ.text]
    plan = replace(READ, text="show plan", of=uuid4())
    assert fold(HEADING, READ, plan, run=IN_PROGRESS) == ["show plan"]
