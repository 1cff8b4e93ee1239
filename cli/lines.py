"""The lines that are shown of a run, and Prefect's own messages reworded."""

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
# Messages of Prefect itself; runs and tasks are shown from their states.
CHATTER = re.compile(
    r"Beginning (sub)?flow run|View at |Created (task|subflow|flow) run|Finished in state|Executing "
    r"|Running \d+ deployment pull step|Deployment step |All deployment steps|Encountered exception"
)
RETRY = re.compile(
    r"Task run failed with exception: \w+\((['\"])(.*)\1\) - Retry (\d+)/(\d+) will start (\S+) second", re.DOTALL
)
RAISED = re.compile(r"(?:Task|Flow) run encountered an exception:? (\w+): ")
# Errors whose message is the message of the run's end and is shown there. Others are shown before the rollback.
SHOWN_AT_END = (
    "Refused",
    "StopRequested",
    "LockLost",
    "LockTaken",
    "ChecksFailed",
    "Inconclusive",
    "SettingsError",
)
WORDS = {"StopRequested": "Stopped", "Refused": "Refused"}
# The subject of a line that a canary step logs while its pause runs.
WEIGHT = re.compile(r"\d+ %")
# A digest in a command stays complete: it is to be copied.
DIGEST = re.compile(r"(?<!--digest )(sha256:[0-9a-f]{12})[0-9a-f]{52}")


class Kind(Enum):
    PHASE = "phase"
    TASK = "task"
    PROGRESS = "progress"


@dataclass(frozen=True)
class Line:
    """depth: the number of subflows around it. took: of a task that has ended. result: of a task. of: the flow run that
    it belongs to.
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
    """`created` of `MSKStack: created` in a task that is named `deploy MSKStack`; empty for any other line.

    `20 %: 800 requests ...` in the task `watch the canary at 20 %` is a waiting line, not its result.
    """
    subject, _, result = text.partition(": ")
    return result if name.endswith(f" {subject}") and not WEIGHT.fullmatch(subject) else ""


def say_failure(state: str, message: str) -> tuple[str, str]:
    """How a task failed, in a word and a sentence. The sentence is empty if the run's end says the same."""
    found = RAISED.match(message)
    if found is None:
        return state, message
    is_shown_later = found[1] in SHOWN_AT_END
    return WORDS.get(found[1], state), "" if is_shown_later else message[found.end() :]


def say_retry(text: str, task: str) -> str:
    """Prefect's log line about a retry as a sentence, with the reason the first time; any other line unchanged."""
    if (found := RETRY.match(text)) is None:
        return text
    reason = f"{found[2].rstrip('. ')}. " if found[3] == "1" else ""
    wait = describe_elapsed(timedelta(seconds=float(found[5])))
    return f"{task}: {reason}Retrying in {wait} ({found[3]} of {found[4]})."


def shorten(text: str) -> str:
    """The text with digests cut to their first twelve digits."""
    return DIGEST.sub(r"\1…", text)


def shorten_block(text: str) -> str:
    """As `shorten`, except for the heading of several lines, such as the one of a plan."""
    heading, *rest = text.splitlines() or [""]
    return "\n".join([heading, *map(shorten, rest)]) if rest else shorten(heading)
