"""What Prefect itself logs about a run that ends with a delivery error: the message once, without a traceback."""

import logging
import re

from delivery.errors import DeliveryError, Unexpected
from delivery.outcome import OUTCOMES

# Prefect's names of the loggers of runs.
OF_FLOWS, OF_TASKS = "prefect.flow_runs", "prefect.task_runs"
ENDED = re.compile(rf"(Finished in state (?:{'|'.join(end.state_name for end in OUTCOMES if not end.is_success)}))\(.*")


class ExpectedEnds(logging.Filter):
    """Drops the traceback of a delivery error, which is logged as a sentence. Any other error keeps its traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        if is_expected(record) and record.name == OF_FLOWS:
            return False
        if is_expected(record):
            record.exc_info = record.exc_text = None
        record.msg = ENDED.sub(r"\1", record.msg) if isinstance(record.msg, str) else record.msg
        return True


EXPECTED_ENDS = ExpectedEnds()


def log_without_tracebacks() -> None:
    """For the rest of this process. A logger ignores a filter that it already has."""
    for name in (OF_FLOWS, OF_TASKS):
        logging.getLogger(name).addFilter(EXPECTED_ENDS)


def is_expected(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    return isinstance(error, DeliveryError) and not isinstance(error, Unexpected)
