"""How the application of an image behaves. Probes and actuator stay good; it is the users that notice."""

import os
import random
import threading
import time
from typing import Protocol

ERROR_RATE = 0.3
# One that is found by the comparison with the other revision alone: the users' success rate may still be met.
FEW_ERRORS_RATE = 0.05
SECONDS_SLOW = 0.8
SECONDS_TO_CRASH = 3.0


class Interference(Protocol):
    def __call__(self) -> int | None:
        """Called before each API request: the status to answer in its place, or None to go on."""


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
    """End the process with exit code 1 soon, as an application does that fails after it said it had started."""
    timer = threading.Timer(SECONDS_TO_CRASH, crash)
    timer.daemon = True
    timer.start()


def crash() -> None:
    print("out of memory: this image ends its process", flush=True)
    os._exit(1)
