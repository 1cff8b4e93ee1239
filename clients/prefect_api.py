"""What the command line asks of Prefect's server, with its errors translated once."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Self
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    ArtifactFilterKey,
    FlowRunFilter,
    FlowRunFilterParentFlowRunId,
    LogFilter,
    LogFilterFlowRunId,
    LogFilterTimestamp,
    TaskRunFilter,
    TaskRunFilterFlowRunId,
)
from prefect.client.schemas.sorting import ArtifactSort, LogSort
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.settings import PREFECT_API_URL, PREFECT_UI_URL

from delivery.errors import NotFound, Rejected, SettingsError, Unavailable

# A worker tells the server of itself every half a minute.
WORKER_IS_GONE_AFTER = timedelta(seconds=75)
LOG_PAGE = 200
LONGEST_REASON = 500


@dataclass(frozen=True)
class Run:
    """A flow's or a task's run. parent: the flow's run that a task belongs to. parent_task: the task's run that stands
    for a subflow in its parent. is_nested: a task that another task called.
    """

    id: UUID
    name: str
    state_type: str
    state_name: str
    message: str
    started: datetime | None
    ended: datetime | None
    parent: UUID | None = None
    parent_task: UUID | None = None
    is_nested: bool = False

    @property
    def is_final(self) -> bool:
        return self.state_type in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


@dataclass(frozen=True)
class LogLine:
    id: UUID
    at: datetime
    level: int
    logger: str
    text: str
    run: UUID | None
    task: UUID | None


class PrefectApi:
    """One connection to the server that PREFECT_API_URL names.

    Each method raises Unavailable where the server does not answer.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._client: SyncPrefectClient = get_client(sync_client=True)

    @classmethod
    def connect(cls) -> Self:
        """Raises SettingsError without an address: Prefect would start a server of its own, with nothing in it."""
        if not (url := PREFECT_API_URL.value()):
            raise SettingsError("PREFECT_API_URL is not set: name the Prefect server, as http://host:4200/api.")
        return cls(url)

    def submit(self, deployment: str, parameters: dict[str, Any]) -> UUID:
        """The new run's id; a worker picks it up. Raises NotFound where nothing is deployed under the name."""
        with self._translated(f"submitting {deployment}"):
            try:
                found = self._client.read_deployment_by_name(deployment)
            except ObjectNotFound as error:
                raise NotFound(
                    f"Prefect has no deployment {deployment}. slipway install makes those of prefect.yaml."
                ) from error
            return self._client.create_flow_run_from_deployment(found.id, parameters=parameters).id

    def read_run(self, run: UUID) -> Run:
        with self._translated(f"reading run {run}"):
            return _flow_run(self._client.read_flow_run(run))

    def read_subflows(self, parents: Iterable[UUID]) -> tuple[Run, ...]:
        """The runs that were started by one of the parents, not by their children."""
        wanted = FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=list(parents)))
        with self._translated("reading subflows"):
            return tuple(_flow_run(run) for run in self._client.read_flow_runs(flow_run_filter=wanted))

    def read_tasks(self, parents: Iterable[UUID]) -> tuple[Run, ...]:
        wanted = TaskRunFilter(flow_run_id=TaskRunFilterFlowRunId(any_=list(parents)))
        with self._translated("reading tasks"):
            return tuple(_task_run(run) for run in self._client.read_task_runs(task_run_filter=wanted))

    def read_logs(self, runs: Iterable[UUID], after: datetime) -> tuple[LogLine, ...]:
        """The first lines after the time, oldest first."""
        since = LogFilterTimestamp.model_validate({"after_": after})
        wanted = LogFilter(flow_run_id=LogFilterFlowRunId(any_=list(runs)), timestamp=since)
        with self._translated("reading logs"):
            found = self._client.read_logs(log_filter=wanted, limit=LOG_PAGE, sort=LogSort.TIMESTAMP_ASC)
        return tuple(
            LogLine(line.id, line.timestamp, line.level, line.name, line.message, line.flow_run_id, line.task_run_id)
            for line in found
        )

    def read_artifact(self, run: UUID, key: str) -> str | None:
        """The text that the run left under the key; None where it left nothing."""
        of_run = ArtifactFilterFlowRunId(any_=[run])
        wanted = ArtifactFilter(flow_run_id=of_run, key=ArtifactFilterKey(any_=[key]))
        with self._translated(f"reading {key}"):
            found = self._client.read_artifacts(artifact_filter=wanted, sort=ArtifactSort.CREATED_DESC)
        return str(found[0].data) if found else None

    def count_workers(self, pool: str) -> int:
        """How many workers asked the pool for work lately; 0 where there is no such pool."""
        with self._translated(f"reading the workers of {pool}"):
            workers = self._client.read_workers_for_work_pool(pool) if self._has_pool(pool) else []
        oldest = datetime.now(UTC) - WORKER_IS_GONE_AFTER
        return sum(worker.last_heartbeat_time is not None and worker.last_heartbeat_time > oldest for worker in workers)

    def _has_pool(self, pool: str) -> bool:
        try:
            self._client.read_work_pool(pool)
        except ObjectNotFound:
            return False
        return True

    def page_of(self, run: UUID) -> str:
        """Where Prefect's UI shows the run."""
        ui = PREFECT_UI_URL.value() or self.url.removesuffix("/").removesuffix("/api")
        return f"{ui}/runs/flow-run/{run}"

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        with translated(what, self.url):
            yield


@contextmanager
def translated(what: str, url: str) -> Iterator[None]:
    """Prefect's and httpx's errors as ours. what: continues "while "."""
    try:
        yield
    except httpx.TransportError as error:
        raise Unavailable(f"Prefect's server at {url} does not answer. Is it running?") from error
    except PrefectHTTPStatusError as error:
        status = error.response.status_code
        kind = Unavailable if status >= HTTPStatus.INTERNAL_SERVER_ERROR else Rejected
        kind = NotFound if status == HTTPStatus.NOT_FOUND else kind
        raise kind(f"Prefect's server answered {status} while {what}: {_reason(error)}") from error


def _reason(error: PrefectHTTPStatusError) -> str:
    try:
        content = error.response.json()
    except ValueError:
        return error.response.text[:LONGEST_REASON]
    details = content.get("exception_detail") or [{"msg": content.get("detail") or content.get("exception_message")}]
    return "; ".join(str(detail.get("msg")) for detail in details)[:LONGEST_REASON]


def _flow_run(run: Any) -> Run:
    return _run(run, parent_task=run.parent_task_run_id)


def _task_run(run: Any) -> Run:
    return _run(run, parent=run.flow_run_id, is_nested="__parents__" in run.task_inputs)


def _run(run: Any, **place: Any) -> Run:
    state = run.state
    return Run(
        id=run.id,
        name=run.name,
        state_type=state.type.value if state else "SCHEDULED",
        state_name=(state.name if state else None) or "Scheduled",
        message=(state.message if state else None) or "",
        started=run.start_time,
        ended=run.end_time,
        **place,
    )
