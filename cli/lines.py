"""What is told of a run, line by line, and how Prefect's own words about it are put."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from clients.prefect.api import LogLine
from delivery.report import describe_elapsed
from tasks.runs.run_logs import OF_FLOWS, OF_TASKS

INFO, WARNING = 20, 30
OF_RUNS = (OF_FLOWS, OF_TASKS)
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
RAISED = re.compile(r"(?:Task|Flow) run encountered an exception:? (\w+): ")
# Errors whose sentence is the run's own end: it is told there, once. Of others the reason is told before the way back.
TOLD_AT_THE_END = ("Refused", "StopRequested", "LockLost", "LockTaken", "ChecksFailed", "Inconclusive", "SettingsError")
WORDS = {"StopRequested": "Stopped", "Refused": "Refused"}
# One in a command is whole: it is there to be typed.
DIGEST = re.compile(r"(?<!--digest )(sha256:[0-9a-f]{12})[0-9a-f]{52}")


class Kind(Enum):
    PHASE = "phase"
    TASK = "task"
    PROGRESS = "progress"


@dataclass(frozen=True)
class Line:
    """depth: how many subflows it stands in. took: of a task that has ended. result: what it came to. of: the flow's
    run that it tells of.
    """

    at: datetime
    depth: int
    kind: Kind
    text: str
    state: str = ""
    message: str = ""
    took: timedelta | None = None
    result: str = ""
    of: UUID | None = None


def is_progress(line: LogLine) -> bool:
    return INFO <= line.level <= WARNING and line.logger in OF_RUNS and not CHATTER.match(line.text)


def result_of(text: str, name: str) -> str:
    """`created` of `MSKStack: created` in a task that is named `deploy MSKStack`; empty for any other line."""
    subject, _, result = text.partition(": ")
    return result if name.endswith(f" {subject}") else ""


def say_failure(state: str, message: str) -> tuple[str, str]:
    """How a task failed, in a word and a sentence. The sentence is empty where the run's end says the same."""
    found = RAISED.match(message)
    if found is None:
        return state, message
    is_told_later = found[1] in TOLD_AT_THE_END
    return WORDS.get(found[1], state), "" if is_told_later else message[found.end() :]


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
