"""What a run tells while it is under way: read in Prefect's UI and by whoever follows it in a terminal."""

import logging

from prefect.context import FlowRunContext, TaskRunContext
from prefect.logging import get_run_logger


def progress(sentence: str) -> None:
    """One line of the run's log, or of the process's where there is no run."""
    is_in_run = TaskRunContext.get() is not None or FlowRunContext.get() is not None
    logger = get_run_logger() if is_in_run else logging.getLogger("slipway")
    logger.info(sentence)
