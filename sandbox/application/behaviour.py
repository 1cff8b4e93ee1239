"""The behaviours of the application. They affect the API. Except with crash-loop, probes and actuator work."""

import os
import random
import threading
import time
from typing import Protocol

ERROR_RATE = 0.3
# Low enough for a sufficient success rate, so that possibly only the comparison with the other revision finds it.
FEW_ERRORS_RATE = 0.05
SECONDS_SLOW = 0.8
SECONDS_TO_CRASH = 3.0


class Interference(Protocol):
    def __call__(self) -> int | None:
        """Called before each API request. Returns the status of an error response, or None to serve the request."""


def healthy() -> None:
    return None


def errors() -> int | None:
    return 500 if random.random() < ERROR_RATE else None


def few_errors() -> int | None:
    return 500 if random.random() < FEW_ERRORS_RATE else None


def slow() -> None:
    time.sleep(SECONDS_SLOW)


def silent() -> None:
    threading.Event().wait()


INTERFERENCES: dict[str, Interference] = {"errors": errors, "few-errors": few_errors, "slow": slow, "silent": silent}


def interference(behaviour: str) -> Interference:
    return INTERFERENCES.get(behaviour, healthy)


def crash_later() -> None:
    """End the process with exit code 1 after some seconds, like an application that fails after its start."""
    timer = threading.Timer(SECONDS_TO_CRASH, crash)
    timer.daemon = True
    timer.start()


def crash() -> None:
    print("out of memory: this image ends its process", flush=True)
    os._exit(1)
