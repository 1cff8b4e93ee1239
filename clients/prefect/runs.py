"""Runs in Prefect and the lines of their logs, as values."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class Run:
    """A flow run or a task run. parent: the flow run of a task run. parent_task: the task run that represents a subflow
    in its parent. is_nested: whether another task called the task. attempts: how often the run was started; a run that
    was cancelled before its start also has a start time.
    """

    id: UUID
    name: str
    state_type: str
    state_name: str
    message: str
    started: datetime | None
    ended: datetime | None
    parent: UUID | None = None
    parent_task: UUID | None = None
    is_nested: bool = False
    attempts: int = 0

    @property
    def is_final(self) -> bool:
        return self.state_type in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


@dataclass(frozen=True)
class LogLine:
    id: UUID
    at: datetime
    level: int
    logger: str
    text: str
    run: UUID | None
    task: UUID | None


def log_line(line: Any) -> LogLine:
    return LogLine(line.id, line.timestamp, line.level, line.name, line.message, line.flow_run_id, line.task_run_id)


def flow_run(run: Any) -> Run:
    return _run(run, parent_task=run.parent_task_run_id)


def task_run(run: Any) -> Run:
    return _run(run, parent=run.flow_run_id, is_nested="__parents__" in run.task_inputs)


def _run(run: Any, **place: Any) -> Run:
    state = run.state
    return Run(
        id=run.id,
        name=run.name,
        state_type=state.type.value if state else "SCHEDULED",
        state_name=(state.name if state else None) or "Scheduled",
        message=(state.message if state else None) or "",
        started=run.start_time,
        ended=run.end_time,
        attempts=run.run_count,
        **place,
    )
