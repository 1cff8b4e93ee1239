"""Following a run: what happened since the last look, in the order it happened."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from cli.idle import Key, Told, fold_idle_phases
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

# A run's lines reach the server in batches of two seconds: told later, everything is told in its order.
TOLD_AFTER = timedelta(seconds=3)
# A line may arrive after one that is younger than it.
LATE_LINES = timedelta(seconds=15)


@dataclass(frozen=True)
class Look:
    """Everything of a run at one moment. subflows in no order; tasks without those that stand for a subflow."""

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
    """Looks at one run, and tells each thing once."""

    api: PrefectApi
    run: UUID
    told: set[Key] = field(default_factory=set)
    said: set[str] = field(default_factory=set)
    lines: dict[UUID, LogLine] = field(default_factory=dict)
    lines_after: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    ahead: timedelta = timedelta()

    def look(self) -> Look:
        """Raises Unavailable where Prefect does not answer; nothing is lost then."""
        root = self.api.read_run(self.run)
        subflows, tasks = self._read_below()
        parent_of = {task.id: task.parent for task in tasks}
        depth = {self.run: 0}
        for subflow in subflows:
            parent = parent_of.get(subflow.parent_task) if subflow.parent_task else None
            depth[subflow.id] = depth.get(parent, 0) + 1 if parent else 1
        standing_for = {subflow.parent_task for subflow in subflows}
        own = tuple(task for task in tasks if task.id not in standing_for)
        return Look(root, subflows, own, depth, self._read_lines(depth))

    def settled_at(self, now: datetime) -> datetime:
        """Until when everything has arrived by now, by the worker's clock, which may be ahead of ours."""
        return now + self.ahead - TOLD_AFTER

    def news(self, look: Look, until: datetime) -> list[Line]:
        """What happened until then and was not told yet, in its order."""
        results = self._results(look)
        told = [*self._phases(look), *self._tasks(look, results), *self._progress(look, results)]
        found = fold_idle_phases(told, look.subflows, until)
        due = {key: line for key, line in found if line.at <= until and key not in self.told}
        self.told.update(due)
        self.told.update((line, "line") for task, (line, _) in results.items() if (task, "end") in self.told)
        return [self._without_repetition(line) for line in sorted(due.values(), key=lambda line: line.at)]

    def _without_repetition(self, line: Line) -> Line:
        """A task fails by the message of the task it called: that is told once."""
        is_repeated = line.message in self.said
        self.said.add(line.message)
        return replace(line, message="") if is_repeated else line

    def has_all_lines(self, look: Look) -> bool:
        """Whether the run's own last line is there; lines arrive after the states, and each task has a last one too."""
        own = (line for line in look.lines if line.run == self.run and line.logger == OF_FLOWS)
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
        """All of the run's lines so far, oldest first: one that was read before its time to be told is kept."""
        found = self.api.read_logs(runs, self.lines_after)
        self.lines.update((line.id, line) for line in found)
        if found:
            newest = found[-1].at
            self.lines_after = max(self.lines_after, newest - LATE_LINES)
            self.ahead = max(self.ahead, newest - datetime.now(UTC))
        return tuple(sorted(self.lines.values(), key=lambda line: line.at))

    def _phases(self, look: Look) -> Iterator[Told]:
        for run in look.subflows:
            if run.started:
                told = Line(run.started, look.depth[run.id] - 1, Kind.PHASE, shorten(run.name), of=run.id)
                yield (run.id, "start"), told

    def _results(self, look: Look) -> dict[UUID, tuple[UUID, str]]:
        """By task: its line `<last words of its name>: <what it came to>`, which is told behind its name."""
        names = {
            task.id: task.name
            for task in look.tasks
            if task.state_type == "COMPLETED" and (task.id, "end") not in self.told
        }
        return {
            line.task: (line.id, result)
            for line in look.lines
            if line.task and (line.id, "line") not in self.told
            if (result := result_of(line.text, names.get(line.task, "")))
        }

    def _tasks(self, look: Look, results: dict[UUID, tuple[UUID, str]]) -> Iterator[Told]:
        for run in look.tasks:
            # What a task called is part of it, unless it failed: that says why.
            if run.is_nested and run.state_type == "COMPLETED":
                continue
            if run.is_final and run.parent and run.ended:
                took = run.ended - run.started if run.started else None
                is_good = run.state_type == "COMPLETED"
                state, message = (run.state_name, "") if is_good else say_failure(run.state_name, run.message)
                _, result = results.get(run.id, (None, ""))
                told = Line(run.ended, look.depth[run.parent], Kind.TASK, shorten(run.name), state, of=run.parent)
                yield (run.id, "end"), replace(told, message=message, took=took, result=result)

    def _progress(self, look: Look, results: dict[UUID, tuple[UUID, str]]) -> Iterator[Told]:
        names = {task.id: task.name for task in look.tasks}
        told_behind = {line for line, _ in results.values()}
        for line in look.lines:
            # What a run ends by stands in its log as well.
            if line.run and is_progress(line) and line.id not in told_behind and line.text != look.root.message:
                text = say_retry(line.text, names.get(line.task, "a task") if line.task else "a task")
                told = Line(line.at, look.depth[line.run], Kind.PROGRESS, shorten_block(text), of=line.run)
                yield (line.id, "line"), told
