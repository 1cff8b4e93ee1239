"""A release's journal: what it intended, did and read back, in the order it happened; it outlives the process."""

import json
import os
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from clients.store import ObjectStore, open_state
from delivery.environment import Environment
from delivery.errors import Conflict, LockLost, Unavailable
from delivery.journal.earlier import rename_record, rename_request
from delivery.plan import ReleasePlan
from delivery.release import Event, Record, Release
from tasks.state.leases import GO_ON, lease_of

REQUESTS_AT_ONCE = 64

_appenders: dict[tuple[str, str, int], "Appender"] = {}
_appenders_lock = threading.Lock()


@dataclass
class Effect:
    """What the body of `effect` sets: read_back, what was seen after the change. No secret belongs in it."""

    read_back: dict[str, Any] = field(default_factory=dict)


class Appender:
    """The one writer of a release's journal in this process; its threads share it."""

    def __init__(self, store: ObjectStore, environment: str, number: int) -> None:
        self._store = store
        self._folder = journal_folder(environment, number)
        self._lock = threading.Lock()
        self._next = len(store.list(self._folder))
        self._writer = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex}"

    def append(self, step: str, event: Event, detail: dict[str, Any]) -> Record:
        with self._lock:
            at = datetime.now(UTC)
            record = Record(sequence=self._next, at=at, step=step, event=event, detail=detail, writer=self._writer)
            while not self._store.create_own(self._key(record.sequence), record.model_dump_json().encode()):
                self._step_over(record.sequence)
                record = record.model_copy(update={"sequence": self._next})
            self._next += 1
            return record

    def _step_over(self, sequence: int) -> None:
        """A record of ours may have been stored although its answer was lost. Raises LockLost for anybody else's."""
        if json.loads(self._store.read(self._key(sequence))).get("writer") != self._writer:
            raise LockLost(f"Another process wrote record {sequence} of {self._folder}. {GO_ON}")
        self._next += 1

    def _key(self, sequence: int) -> str:
        return f"{self._folder}/{sequence}.json"


@contextmanager
def effect(environment: Environment, release: Release, step: str, before: dict[str, Any]) -> Iterator[Effect]:
    """Around every change of the outside: the intent with the state before it, then what was read back or went wrong.

    step: `<phase>/<name of the step>`. Raises LockLost or StopRequested before the body where it may not run.
    """
    lease_of(environment, release).ensure()
    append(environment, release, step, Event.INTENDED, before)
    change = Effect()
    try:
        yield change
    except Exception as error:
        with suppress(Unavailable):  # What went wrong says more than that the store is away as well.
            append(environment, release, step, Event.FAILED, {"message": str(error)})
        raise
    append(environment, release, step, Event.DONE, change.read_back)


def append(
    environment: Environment, release: Release, step: str, event: Event, detail: dict[str, Any] | None = None
) -> Record:
    """One more record. Raises LockLost where another process appends to the same journal."""
    return append_to(environment, release.number, step, event, detail)


def append_to(
    environment: Environment, number: int, step: str, event: Event, detail: dict[str, Any] | None = None
) -> Record:
    """As append, for an earlier release: its holder is gone, and ours is the environment."""
    return _appender(environment, number).append(step, event, detail or {})


def read_journal(environment: Environment, number: int) -> tuple[Record, ...]:
    """All records of a release in their order; empty where there is no such release."""
    store = open_state(environment)
    objects = store.read_all([item.key for item in store.list(journal_folder(environment.name, number))])
    records = (parse_record(key, data) for key, data in objects.items())
    return tuple(sorted(records, key=lambda record: record.sequence))


def parse_record(key: str, data: bytes) -> Record:
    """Raises Conflict where something else wrote below the journal."""
    try:
        return Record.model_validate(rename_record(json.loads(data)))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Conflict(
            f"{key} is no record of a journal; something else wrote it. Look at it and move it away."
        ) from error


def record_plan(environment: Environment, release: Release, plan: ReleasePlan) -> None:
    """The plan beside the journal, as it was carried out."""
    key = f"{release_folder(environment.name, release.number)}/plan.json"
    open_state(environment).create(key, plan.model_dump_json(indent=2).encode())


def list_numbers(environment: Environment) -> tuple[int, ...]:
    """The numbers of all releases, oldest first."""
    names = open_state(environment).folders(f"releases/{environment.name}")
    return tuple(sorted(int(name) for name in names if name.isdigit()))


def last_release_number(environment: Environment) -> int | None:
    """None before the first release."""
    return max(list_numbers(environment), default=None)


def take_number(environment: Environment, request: dict[str, Any]) -> int:
    """The next release's number, with its request in `request.json`. The request holds the taker's own token."""
    store = open_state(environment)
    data = json.dumps(request, indent=2).encode()
    number = max(list_numbers(environment), default=0) + 1
    while not store.create_own(request_key(environment, number), data):
        number += 1
    return number


def read_request(environment: Environment, number: int) -> dict[str, Any]:
    """Raises NotFound."""
    return rename_request(json.loads(open_state(environment).read(request_key(environment, number))))


def find_number(environment: Environment, flow_run: str) -> int | None:
    """The release that this run took; None where it took none."""
    store, numbers = open_state(environment), list_numbers(environment)
    # Newest first: a run is asked for while it is under way, or soon after.
    for last in range(len(numbers), 0, -REQUESTS_AT_ONCE):
        numbers_of = {request_key(environment, number): number for number in numbers[:last][-REQUESTS_AT_ONCE:]}
        for key, request in store.read_all(tuple(numbers_of)).items():
            if json.loads(request).get("flow_run") == flow_run:
                return numbers_of[key]
    return None


def request_key(environment: Environment, number: int) -> str:
    return f"{release_folder(environment.name, number)}/request.json"


def release_folder(environment: str, number: int) -> str:
    return f"releases/{environment}/{number}"


def journal_folder(environment: str, number: int) -> str:
    return f"{release_folder(environment, number)}/journal"


def _appender(environment: Environment, number: int) -> Appender:
    store = open_state(environment)
    key = (store.url, environment.name, number)
    with _appenders_lock:
        if key not in _appenders:
            _appenders[key] = Appender(store, environment.name, number)
        return _appenders[key]
