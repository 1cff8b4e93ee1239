"""Following a run: what happened since the last poll, in the order in which it happened."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from cli.idle import Entry, Key, fold_idle_phases
from cli.lines import (
    LAST_LINE,
    Kind,
    Line,
    is_progress,
    result_of,
    say_failure,
    say_retry,
    shorten,
    shorten_block,
)
from clients.prefect.api import LogLine, PrefectApi, Run
from tasks.runs.run_logs import OF_FLOWS

# A run's log lines reach the server in batches of two seconds: shown later, everything is shown in its order.
SHOW_AFTER = timedelta(seconds=3)
# A line may arrive after a younger one.
LATE_LINES = timedelta(seconds=15)


@dataclass(frozen=True)
class RunSnapshot:
    """A run with its subflows and tasks. subflows: in no order. tasks: without those that represent subflows."""

    root: Run
    subflows: tuple[Run, ...]
    tasks: tuple[Run, ...]
    depth: dict[UUID, int]
    lines: tuple[LogLine, ...]

    @property
    def running(self) -> tuple[Run, ...]:
        return tuple(run for run in self.tasks if run.state_type == "RUNNING")


@dataclass
class Follower:
    """Reads one run, and returns each line once."""

    api: PrefectApi
    run: UUID
    shown: set[Key] = field(default_factory=set)
    messages: set[str] = field(default_factory=set)
    lines: dict[UUID, LogLine] = field(default_factory=dict)
    lines_after: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    ahead: timedelta = timedelta()

    def read(self) -> RunSnapshot:
        """Raises Unavailable if Prefect does not answer; nothing is lost then."""
        root = self.api.read_run(self.run)
        subflows, tasks = self._read_below()
        parent_of = {task.id: task.parent for task in tasks}
        depth = {self.run: 0}
        for subflow in subflows:
            parent = parent_of.get(subflow.parent_task) if subflow.parent_task else None
            depth[subflow.id] = depth.get(parent, 0) + 1 if parent else 1
        represented = {subflow.parent_task for subflow in subflows}
        own = tuple(task for task in tasks if task.id not in represented)
        return RunSnapshot(root, subflows, own, depth, self._read_lines(depth))

    def settled_at(self, now: datetime) -> datetime:
        """The time before which all lines have arrived by now, by the worker's clock, which may be ahead of ours."""
        return now + self.ahead - SHOW_AFTER

    def new_lines(self, snapshot: RunSnapshot, until: datetime) -> list[Line]:
        """What happened until then and was not shown yet, oldest first."""
        results = self._results(snapshot)
        entries = [*self._phases(snapshot), *self._tasks(snapshot, results), *self._progress(snapshot, results)]
        found = fold_idle_phases(entries, snapshot.subflows, until)
        due = {key: line for key, line in found if line.at <= until and key not in self.shown}
        self.shown.update(due)
        self.shown.update((line, "line") for task, (line, _) in results.items() if (task, "end") in self.shown)
        return [self._without_repetition(line) for line in sorted(due.values(), key=lambda line: line.at)]

    def _without_repetition(self, line: Line) -> Line:
        """A task fails with the message of the task that it called: it is shown once."""
        is_repeated = line.message in self.messages
        self.messages.add(line.message)
        return replace(line, message="") if is_repeated else line

    def has_all_lines(self, snapshot: RunSnapshot) -> bool:
        """Whether the run's own last log line has arrived: log lines arrive after the states."""
        own = (line for line in snapshot.lines if line.run == self.run and line.logger == OF_FLOWS)
        return any(line.text.startswith(LAST_LINE) for line in own)

    def _read_below(self) -> tuple[tuple[Run, ...], tuple[Run, ...]]:
        """All subflows, parents before children, and all tasks."""
        subflows: list[Run] = []
        layer: tuple[UUID, ...] = (self.run,)
        while layer:
            found = self.api.read_subflows(layer)
            subflows += found
            layer = tuple(run.id for run in found)
        return tuple(subflows), self.api.read_tasks([self.run, *(run.id for run in subflows)])

    def _read_lines(self, runs: dict[UUID, int]) -> tuple[LogLine, ...]:
        """All log lines of the run so far, oldest first: a line that was read before it may be shown is kept."""
        found = self.api.read_logs(runs, self.lines_after)
        self.lines.update((line.id, line) for line in found)
        if found:
            newest = found[-1].at
            self.lines_after = max(self.lines_after, newest - LATE_LINES)
            self.ahead = max(self.ahead, newest - datetime.now(UTC))
        return tuple(sorted(self.lines.values(), key=lambda line: line.at))

    def _phases(self, snapshot: RunSnapshot) -> Iterator[Entry]:
        for run in snapshot.subflows:
            if run.started:
                shown = Line(run.started, snapshot.depth[run.id] - 1, Kind.PHASE, shorten(run.name), of=run.id)
                yield (run.id, "start"), shown

    def _results(self, snapshot: RunSnapshot) -> dict[UUID, tuple[UUID, str]]:
        """By task: its line `<last words of its name>: <result>`, which is shown after its name."""
        names = {
            task.id: task.name
            for task in snapshot.tasks
            if task.state_type == "COMPLETED" and (task.id, "end") not in self.shown
        }
        return {
            line.task: (line.id, result)
            for line in snapshot.lines
            if line.task and (line.id, "line") not in self.shown
            if (result := result_of(line.text, names.get(line.task, "")))
        }

    def _tasks(self, snapshot: RunSnapshot, results: dict[UUID, tuple[UUID, str]]) -> Iterator[Entry]:
        for run in snapshot.tasks:
            # A task called by a task is part of it, unless it failed: then it gives the reason.
            if run.is_nested and run.state_type == "COMPLETED":
                continue
            if run.is_final and run.parent and run.ended:
                took = run.ended - run.started if run.started else None
                is_good = run.state_type == "COMPLETED"
                state, message = (run.state_name, "") if is_good else say_failure(run.state_name, run.message)
                _, result = results.get(run.id, (None, ""))
                shown = Line(run.ended, snapshot.depth[run.parent], Kind.TASK, shorten(run.name), state, of=run.parent)
                yield (run.id, "end"), replace(shown, message=message, took=took, result=result)

    def _progress(self, snapshot: RunSnapshot, results: dict[UUID, tuple[UUID, str]]) -> Iterator[Entry]:
        names = {task.id: task.name for task in snapshot.tasks}
        results_shown = {line for line, _ in results.values()}
        for line in snapshot.lines:
            # The message of the run's end is also in its log.
            if line.run and is_progress(line) and line.id not in results_shown and line.text != snapshot.root.message:
                text = say_retry(line.text, names.get(line.task, "a task") if line.task else "a task")
                shown = Line(line.at, snapshot.depth[line.run], Kind.PROGRESS, shorten_block(text), of=line.run)
                yield (line.id, "line"), shown
