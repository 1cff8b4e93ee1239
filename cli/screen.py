"""How a followed run is shown: one line per event, and on a terminal what is running now."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from rich.console import Console
from rich.status import Status
from rich.text import Text

from cli.lines import Kind, Line
from clients.prefect.api import Run
from delivery.report import describe_elapsed, describe_ending, in_capitals

INDENT = "  "
WIDTH_OF_NAME = 56
GOOD = ("Completed", "NothingToDo", "Cached")
MOST_SHOWN = 3


class Screen:
    """Writes to standard output, or to standard error if a program reads the output."""

    def __init__(self, *, for_program: bool = False) -> None:
        self._console = Console(stderr=for_program, highlight=False, soft_wrap=True)
        self._status: Status | None = None

    @contextmanager
    def live(self) -> Iterator[None]:
        """On a terminal, the last line shows what is running."""
        if not self._console.is_terminal:
            yield
            return
        self._status = self._console.status("")
        with self._status:
            yield
        self._status = None

    def say(self, text: str, style: str = "") -> None:
        self._console.print(Text(text, style=style))

    def say_row(self, text: str) -> None:
        """One row of a table: cut to the width of a terminal, complete in a file."""
        is_cut = self._console.is_terminal
        overflow = "ellipsis" if is_cut else "ignore"
        self._console.print(Text(text), no_wrap=True, overflow=overflow, soft_wrap=not is_cut)

    def show(self, line: Line, since_start: timedelta) -> None:
        self._console.print(render(line, since_start))

    def show_running(self, running: Sequence[Run], now: datetime) -> None:
        if self._status is None:
            return
        names = [f"{run.name} ({describe_elapsed(now - run.started)})" for run in running if run.started]
        more = f" and {len(names) - MOST_SHOWN} more" if len(names) > MOST_SHOWN else ""
        self._status.update(Text(", ".join(names[:MOST_SHOWN]) + more or "waiting", style="dim"))

    def show_ending(self, state_name: str, message: str, *, is_success: bool) -> None:
        """How the run ended, and the message about it."""
        ending = Text(describe_ending(state_name, message))
        ending.stylize(f"bold {'green' if is_success else 'red'}", 0, len(in_capitals(state_name)))
        self._console.print(ending)

    def show_error(self, sentence: str) -> None:
        self._console.print(Text(sentence, style="red"))


def render(line: Line, since_start: timedelta) -> Text:
    """`  3:05    configure topic genai-demo...     done  2.1 s`; a log line is shown below what it belongs to."""
    minutes, seconds = divmod(max(int(since_start.total_seconds()), 0), 60)
    clock, indent = f"{minutes:>3}:{seconds:02}  ", INDENT * line.depth
    if line.kind is Kind.PHASE:
        return Text.assemble((clock, "dim"), indent, (line.text, "bold"))
    if line.kind is Kind.PROGRESS:
        first, *rest = line.text.splitlines() or [""]
        below = [f"\n{' ' * len(clock)}{indent}{text}" for text in rest]
        return Text.assemble((clock, "dim"), indent, first, *below)
    return render_task(line, clock, indent)


def render_task(line: Line, clock: str, indent: str) -> Text:
    is_good = line.state in GOOD
    took = f"  {describe_elapsed(line.took)}" if line.took is not None else ""
    name = f"{indent}{line.text}".ljust(WIDTH_OF_NAME)
    word = "done" if is_good else in_capitals(line.state).lower()
    result = f"{took:<13}  {line.result}" if line.result else took
    message = f"\n{' ' * len(clock)}{indent}{line.message}" if line.message else ""
    return Text.assemble((clock, "dim"), f"{name}  ", (word, "green" if is_good else "red"), (result, "dim"), message)
