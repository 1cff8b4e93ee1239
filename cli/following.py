"""Following a run: what happened since the last look, in the order it happened."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from uuid import UUID

from clients.prefect_api import LOG_PAGE, LogLine, PrefectApi, Run
from delivery.report import describe_elapsed

# A run's lines reach the server in batches of two seconds: told later, everything is told in its order.
TOLD_AFTER = timedelta(seconds=3)
# A line may arrive after one that is younger than it.
LATE_LINES = timedelta(seconds=5)
INFO, WARNING = 20, 30
OF_FLOWS = "prefect.flow_runs"
OF_RUNS = (OF_FLOWS, "prefect.task_runs")
# The last line of every run.
LAST_LINE = "Finished in state"
# What Prefect says by itself; runs and tasks are told from their states.
CHATTER = re.compile(
    r"Beginning (sub)?flow run|View at |Created (task|subflow|flow) run|Finished in state|Executing "
    r"|Running \d+ deployment pull step|Deployment step |All deployment steps|Encountered exception"
)
RETRY = re.compile(
    r"Task run failed with exception: \w+\((['\"])(.*)\1\) - Retry (\d+)/(\d+) will start (\S+) second", re.DOTALL
)
RAISED = re.compile(r"(Task|Flow) run encountered an exception:? \w+: ")
DIGEST = re.compile(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}")


class Kind(Enum):
    PHASE = "phase"
    TASK = "task"
    PROGRESS = "progress"


Key = tuple[UUID, str]


@dataclass(frozen=True)
class Line:
    """depth: how many subflows it stands in. took: of a task that has ended. result: what it came to."""

    at: datetime
    depth: int
    kind: Kind
    text: str
    state: str = ""
    message: str = ""
    took: timedelta | None = None
    result: str = ""


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
    lines_after: datetime = datetime(1970, 1, 1, tzinfo=UTC)

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

    def news(self, look: Look, until: datetime) -> list[Line]:
        """What happened until then and was not told yet, in its order."""
        results = self._results(look)
        found = [*self._phases(look), *self._tasks(look, results), *self._progress(look, results)]
        due = [(key, line) for key, line in found if line.at <= until and key not in self.told]
        self.told.update(key for key, _ in due)
        self.told.update((line, "line") for task, (line, _) in results.items() if (task, "end") in self.told)
        return [self._without_repetition(line) for line in sorted((line for _, line in due), key=lambda line: line.at)]

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
        lines = self.api.read_logs(runs, self.lines_after)
        if lines:
            late = timedelta() if len(lines) == LOG_PAGE else LATE_LINES
            self.lines_after = max(self.lines_after, lines[-1].at - late)
        return lines

    def _phases(self, look: Look) -> Iterator[tuple[Key, Line]]:
        for run in look.subflows:
            if run.started:
                yield (run.id, "start"), Line(run.started, look.depth[run.id] - 1, Kind.PHASE, shorten(run.name))

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

    def _tasks(self, look: Look, results: dict[UUID, tuple[UUID, str]]) -> Iterator[tuple[Key, Line]]:
        for run in look.tasks:
            # What a task called is part of it, unless it failed: that says why.
            if run.is_nested and run.state_type == "COMPLETED":
                continue
            if run.is_final and run.parent and run.ended:
                took = run.ended - run.started if run.started else None
                message = RAISED.sub("", run.message, count=1) if run.state_type != "COMPLETED" else ""
                _, result = results.get(run.id, (None, ""))
                told = Line(run.ended, look.depth[run.parent], Kind.TASK, shorten(run.name), run.state_name)
                yield (run.id, "end"), replace(told, message=message, took=took, result=result)

    def _progress(self, look: Look, results: dict[UUID, tuple[UUID, str]]) -> Iterator[tuple[Key, Line]]:
        names = {task.id: task.name for task in look.tasks}
        told_behind = {line for line, _ in results.values()}
        for line in look.lines:
            if line.run and is_progress(line) and line.id not in told_behind:
                text = say_retry(line.text, names.get(line.task, "a task") if line.task else "a task")
                yield (line.id, "line"), Line(line.at, look.depth[line.run], Kind.PROGRESS, shorten_block(text))


def is_progress(line: LogLine) -> bool:
    return INFO <= line.level <= WARNING and line.logger in OF_RUNS and not CHATTER.match(line.text)


def result_of(text: str, name: str) -> str:
    """`created` of `MSKStack: created` in a task that is named `deploy MSKStack`; empty for any other line."""
    subject, _, result = text.partition(": ")
    return result if name.endswith(f" {subject}") else ""


def say_retry(text: str, task: str) -> str:
    """Prefect's line about a retry as a sentence, with the reason the first time; any other line as it is."""
    if (found := RETRY.match(text)) is None:
        return text
    reason = f"{found[2].rstrip('. ')}. " if found[3] == "1" else ""
    wait = describe_elapsed(timedelta(seconds=float(found[5])))
    return f"{task}: {reason}Asked again in {wait} ({found[3]} of {found[4]})."


def shorten(text: str) -> str:
    """Digests by their first twelve digits."""
    return DIGEST.sub(r"\1…", text)


def shorten_block(text: str) -> str:
    """The heading of several lines as it is, such as a plan's; all else by its first digits."""
    heading, *rest = text.splitlines() or [""]
    return "\n".join([heading, *map(shorten, rest)]) if rest else shorten(heading)
