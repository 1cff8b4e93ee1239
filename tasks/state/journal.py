"""The journal of a release: what it intended, did and read back, in this order. It outlives the process."""

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
from delivery.context import ReleaseContext
from delivery.environment import Environment
from delivery.errors import Conflict, LockLost, Unavailable
from delivery.journal.earlier import rename_record, rename_request
from delivery.plan import ReleasePlan
from delivery.release import Event, Record, ReleaseRequest
from tasks.state.leases import lease_of

REQUESTS_AT_ONCE = 64
HALTED = "No further step was started. Run the same command again."

_appenders: dict[tuple[str, str, int], "Appender"] = {}
_appenders_lock = threading.Lock()


@dataclass
class Effect:
    """Set by the body of `effect`. read_back: what was read after the change, without secrets."""

    read_back: dict[str, Any] = field(default_factory=dict)


class Appender:
    """The only writer of a release's journal in this process. Threads share it."""

    def __init__(self, store: ObjectStore, environment_name: str, number: int) -> None:
        self._store = store
        self._folder = journal_folder(environment_name, number)
        self._lock = threading.Lock()
        self._next = len(store.list(self._folder))
        self._writer = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex}"

    def append(self, step: str, event: Event, detail: dict[str, Any]) -> Record:
        with self._lock:
            at = datetime.now(UTC)
            record = Record(sequence=self._next, at=at, step=step, event=event, detail=detail, writer=self._writer)
            while not self._store.create_own(self._key(record.sequence), record.model_dump_json().encode()):
                self._skip(record.sequence)
                record = record.model_copy(update={"sequence": self._next})
            self._next += 1
            return record

    def _skip(self, sequence: int) -> None:
        """Continue after a record that this process stored without an answer. Raises LockLost for another writer's."""
        if json.loads(self._store.read(self._key(sequence))).get("writer") != self._writer:
            raise LockLost(f"Another process wrote record {sequence} of {self._folder}. {HALTED}")
        self._next += 1

    def _key(self, sequence: int) -> str:
        return f"{self._folder}/{sequence}.json"


@contextmanager
def effect(context: ReleaseContext, step: str, before: dict[str, Any]) -> Iterator[Effect]:
    """Around each effect: records the intent with the state before, then what was read back, or the error.

    step: `<phase>/<name of the step>`. Raises LockLost or StopRequested instead of running the body.
    """
    lease_of(context).ensure(context.release)
    append(context, step, Event.INTENDED, before)
    change = Effect()
    try:
        yield change
    except Exception as error:
        with suppress(Unavailable):  # The first error is more useful than the one of the store.
            append(context, step, Event.FAILED, {"message": str(error)})
        raise
    append(context, step, Event.DONE, change.read_back)


def append(context: ReleaseContext, step: str, event: Event, detail: dict[str, Any] | None = None) -> Record:
    """Append a record. Raises LockLost if another process appends to the same journal."""
    return append_to(context.environment, context.release.number, step, event, detail)


def append_to(
    environment: Environment, number: int, step: str, event: Event, detail: dict[str, Any] | None = None
) -> Record:
    """As append, for an earlier release, whose process no longer has the lock."""
    return _appender(environment, number).append(step, event, detail or {})


def read_journal(environment: Environment, number: int) -> tuple[Record, ...]:
    """All records of a release in their order; empty if there is no such release."""
    store = open_state(environment)
    objects = store.read_all([item.key for item in store.list(journal_folder(environment.name, number))])
    records = (parse_record(key, data) for key, data in objects.items())
    return tuple(sorted(records, key=lambda record: record.sequence))


def parse_record(key: str, data: bytes) -> Record:
    """Raises Conflict if the object is not a record."""
    try:
        return Record.model_validate(rename_record(json.loads(data)))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Conflict(f"{key} is not a record of a journal. Read it, then move it out of the journal.") from error


def record_plan(context: ReleaseContext, plan: ReleasePlan) -> None:
    """Store the plan that the release carries out, next to its journal."""
    environment, release = context.environment, context.release
    key = f"{release_folder(environment.name, release.number)}/plan.json"
    open_state(environment).create(key, plan.model_dump_json(indent=2).encode())


def list_numbers(environment: Environment) -> tuple[int, ...]:
    """The numbers of all releases, oldest first."""
    names = open_state(environment).folders(f"releases/{environment.name}")
    return tuple(sorted(int(name) for name in names if name.isdigit()))


def reserve_number(environment: Environment, request: ReleaseRequest) -> int:
    """Store the request under the next number, and return the number. The request's nonce identifies its process."""
    store = open_state(environment)
    data = request.model_dump_json(indent=2).encode()
    number = max(list_numbers(environment), default=0) + 1
    while not store.create_own(request_key(environment, number), data):
        number += 1
    return number


def read_request(environment: Environment, number: int) -> ReleaseRequest:
    """Raises NotFound."""
    key = request_key(environment, number)
    return parse_request(key, open_state(environment).read(key))


def parse_request(key: str, data: bytes) -> ReleaseRequest:
    """Raises Conflict if the object is not a request."""
    try:
        return ReleaseRequest.model_validate(rename_request(json.loads(data)))
    except (ValueError, AttributeError) as error:
        raise Conflict(f"{key} is not the request of a release. Read it, then move it out of this folder.") from error


def find_number(environment: Environment, flow_run: str) -> int | None:
    """The release of this run; None if it has none. flow_run: its id in Prefect."""
    store, numbers = open_state(environment), list_numbers(environment)
    # Newest first: the run is in progress or ended a short while ago.
    for last in range(len(numbers), 0, -REQUESTS_AT_ONCE):
        numbers_of = {request_key(environment, number): number for number in numbers[:last][-REQUESTS_AT_ONCE:]}
        for key, data in store.read_all(tuple(numbers_of)).items():
            if parse_request(key, data).flow_run == flow_run:
                return numbers_of[key]
    return None


def request_key(environment: Environment, number: int) -> str:
    return f"{release_folder(environment.name, number)}/request.json"


def release_folder(environment_name: str, number: int) -> str:
    return f"releases/{environment_name}/{number}"


def journal_folder(environment_name: str, number: int) -> str:
    return f"{release_folder(environment_name, number)}/journal"


def _appender(environment: Environment, number: int) -> Appender:
    store = open_state(environment)
    key = (store.url, environment.name, number)
    with _appenders_lock:
        if key not in _appenders:
            _appenders[key] = Appender(store, environment.name, number)
        return _appenders[key]
