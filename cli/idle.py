"""A phase that had nothing to do is shown in one line instead of one line per task."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from uuid import UUID

from cli.lines import Kind, Line
from clients.prefect.api import Run
from delivery.report import describe_elapsed

# How the result of a task begins that had nothing to do: a stack, a topic.
NOTHING = ("nothing to do", "as specified")

Key = tuple[UUID, str]
Entry = tuple[Key, Line]


@dataclass(frozen=True)
class Words:
    """How a phase is shown that may have nothing to do. run: how its run's name begins; task: how the names of its
    tasks begin that change something.
    """

    run: str
    task: str
    name: str
    things: str


PHASES = (
    Words("deploy infrastructure", "deploy ", "infrastructure", "stacks"),
    Words("configure topics", "configure topic ", "topics", "topics"),
)


class Finding(Enum):
    """What is known about a phase so far."""

    BUSY = "busy"
    UNDECIDED = "undecided"
    IDLE = "idle"


def fold_idle_phases(found: Sequence[Entry], subflows: Sequence[Run], until: datetime) -> list[Entry]:
    """The same, with one line for each phase that is over and had nothing to do.

    found: all lines of the run. A phase of PHASES is not shown until something in it was done, or until it is over;
    "over" means before `until`, because the log lines of tasks arrive after their states.
    """
    folded = list(found)
    for run in subflows:
        words = words_of(run)
        lines = [line for _, line in found if line.of == run.id]
        if words is None or not lines or (finding := judge_phase(run, words, lines, until)) is Finding.BUSY:
            continue
        folded = [entry for entry in folded if entry[1].of != run.id]
        if finding is Finding.IDLE:
            folded.append(((run.id, "start"), sum_up(run, words, lines)))
    return folded


def words_of(run: Run) -> Words | None:
    return next((words for words in PHASES if run.name.startswith(words.run)), None)


def judge_phase(run: Run, words: Words, lines: Sequence[Line], until: datetime) -> Finding:
    """Whether every task of the phase found that there was nothing to do."""
    inner = [line for line in lines if line.kind is not Kind.PHASE]
    if not all(may_be_idle(line) for line in inner) or (run.is_final and run.state_type != "COMPLETED"):
        return Finding.BUSY
    if run.ended is None or run.ended > until:
        return Finding.UNDECIDED
    return Finding.IDLE if all(line.result for line in of_things(words, inner)) else Finding.BUSY


def may_be_idle(line: Line) -> bool:
    """A task that only reads, or that had nothing to do. Its log line shows that before its state does."""
    if line.kind is Kind.PROGRESS:
        return line.text.partition(": ")[2].startswith(NOTHING)
    return line.state == "Completed" and (not line.result or line.result.startswith(NOTHING))


def sum_up(run: Run, words: Words, lines: Sequence[Line]) -> Line:
    """`infrastructure: nothing to do (6 stacks), 6.0 s`. lines: the phase's own first."""
    ended = run.ended or lines[0].at
    took = describe_elapsed(ended - (run.started or ended))
    text = f"{words.name}: nothing to do ({len(of_things(words, lines))} {words.things}), {took}"
    return replace(lines[0], at=ended, text=text)


def of_things(words: Words, lines: Sequence[Line]) -> list[Line]:
    """The ends of the tasks that each deploy or configure one thing."""
    return [line for line in lines if line.kind is Kind.TASK and line.text.startswith(words.task)]
