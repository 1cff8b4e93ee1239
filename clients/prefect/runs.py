"""Prefect's runs and lines of their logs, as the command line reads them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class Run:
    """A flow's or a task's run. parent: the flow's run that a task belongs to. parent_task: the task's run that stands
    for a subflow in its parent. is_nested: a task that another task called. attempts: how often it was begun; Prefect
    gives a start also to one that was cancelled before.
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
