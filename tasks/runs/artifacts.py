"""Artifacts in Prefect. They show a run to a person, and have no influence on how it ends."""

from collections.abc import Iterator
from contextlib import contextmanager

from tasks.runs.log import progress


@contextmanager
def showing(what: str) -> Iterator[None]:
    """Around the creation of an artifact. If Prefect does not create it, the run logs that and continues.

    what: subject of the sentence in the log, such as "The plan".
    """
    try:
        yield
    except Exception as error:  # Prefect does not translate the errors of its HTTP client.
        progress(f"{what} is not shown in Prefect ({type(error).__name__}: {error}). The run continues.")
