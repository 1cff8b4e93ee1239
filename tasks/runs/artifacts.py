"""Around Prefect's artifacts: they show a run to whoever watches it, and never decide how it ends."""

from collections.abc import Iterator
from contextlib import contextmanager

from tasks.runs.log import progress


@contextmanager
def showing(what: str) -> Iterator[None]:
    """Around the making of an artifact: where Prefect does not take it, the run says so and goes on.

    what: as the sentence about it begins.
    """
    try:
        yield
    except Exception as error:  # Prefect passes its client's errors on as they come.
        progress(f"{what} is not shown in Prefect ({type(error).__name__}: {error}). The release goes on.")
