"""Progress messages of a run, for the Prefect UI and for a terminal that follows the run."""

import logging

from prefect.context import FlowRunContext, TaskRunContext
from prefect.logging import get_run_logger


def progress(sentence: str) -> None:
    """Log a line of the run, or of the process outside a run."""
    is_in_run = TaskRunContext.get() is not None or FlowRunContext.get() is not None
    logger = get_run_logger() if is_in_run else logging.getLogger("slipway")
    logger.info(sentence)
