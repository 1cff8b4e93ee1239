"""The Prefect API, as the command line uses it, and the translation of its errors."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any, Self, TypeVar
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    ArtifactFilterKey,
    DeploymentFilter,
    DeploymentFilterName,
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterParentFlowRunId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    LogFilter,
    LogFilterFlowRunId,
    LogFilterTimestamp,
    TaskRunFilter,
    TaskRunFilterFlowRunId,
)
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.sorting import ArtifactSort, FlowRunSort, LogSort, TaskRunSort
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_URL, PREFECT_UI_URL
from prefect.states import Cancelling

from clients.prefect.runs import LogLine, Run, flow_run, log_line, task_run
from delivery.errors import Conflict, DeliveryError, NotFound, Rejected, SettingsError, Unavailable, is_transient

# A worker sends a heartbeat every 30 s.
WORKER_IS_GONE_AFTER = timedelta(seconds=75)
PAGE = 200
LONGEST_REASON = 500
EXAMPLE = "http://host:4200/api"
UNFINISHED = [StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING, StateType.PAUSED]

Found = TypeVar("Found")


class PrefectApi:
    """One connection to the Prefect server of PREFECT_API_URL.

    Each method raises Unavailable if the server does not answer.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._client: SyncPrefectClient = get_client(sync_client=True)

    @classmethod
    def connect(cls) -> Self:
        """Raises SettingsError without an address, because Prefect would then start an empty server of its own. Also if
        the address is not that of a Prefect API.
        """
        if not (url := PREFECT_API_URL.value()):
            raise SettingsError(
                f"PREFECT_API_URL is not set. Nothing was started. Set it to the Prefect API, such as {EXAMPLE}."
            )
        api = cls(url)
        api.require_prefect()
        return api

    def require_prefect(self) -> None:
        """Raises SettingsError if the address is not that of a Prefect API."""
        wrong = (
            f"PREFECT_API_URL={self.url} is not the address of a Prefect API. Nothing was started. Set it to an "
            f"address such as {EXAMPLE}, with /api at its end."
        )
        try:
            with self._translated("reading its version"):
                self._client.api_version()
        except (NotFound, Conflict, Rejected, ValueError) as error:
            raise SettingsError(wrong) from error
        except Unavailable as error:
            raise Unavailable(f"{error} Nothing was started.") from error

    def submit(self, deployment: str, parameters: dict[str, Any]) -> UUID:
        """The id of the new run, which a worker executes. Raises NotFound if the Prefect deployment does not exist."""
        with self._translated(f"submitting {deployment}"):
            try:
                found = self._client.read_deployment_by_name(deployment)
            except ObjectNotFound as error:
                raise NotFound(
                    f"The Prefect server at {self.url} has no Prefect deployment {deployment}. Nothing was submitted. "
                    "Create it with this command, then try again: slipway install"
                ) from error
            return self._client.create_flow_run_from_deployment(found.id, parameters=parameters).id

    def cancel(self, run: UUID) -> None:
        """Cancel a run. If a worker executes it, the worker ends it."""
        with self._translated(f"cancelling run {run}"):
            self._client.set_flow_run_state(run, Cancelling())

    def list_unfinished(self, deployments: Iterable[tuple[str, str]]) -> tuple[Run, ...]:
        """The runs of Prefect deployments that have not ended, oldest first. deployments: (flow name, name) of each."""
        flows, names = zip(*deployments, strict=True)
        unfinished = FlowRunFilterState(type=FlowRunFilterStateType(any_=UNFINISHED))
        with self._translated("reading runs"):
            runs = partial(
                self._client.read_flow_runs,
                flow_filter=FlowFilter(name=FlowFilterName(any_=list(flows))),
                deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=list(names))),
                flow_run_filter=FlowRunFilter(state=unfinished),
                sort=FlowRunSort.EXPECTED_START_TIME_ASC,
            )
            return tuple(flow_run(run) for run in every_page(runs))

    def read_run(self, run: UUID) -> Run:
        with self._translated(f"reading run {run}"):
            return flow_run(self._client.read_flow_run(run))

    def read_subflows(self, parents: Iterable[UUID]) -> tuple[Run, ...]:
        """The subflow runs that one of the parents started itself."""
        wanted = FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=list(parents)))
        with self._translated("reading subflows"):
            runs = partial(self._client.read_flow_runs, flow_run_filter=wanted, sort=FlowRunSort.START_TIME_ASC)
            return tuple(flow_run(run) for run in every_page(runs))

    def read_tasks(self, parents: Iterable[UUID]) -> tuple[Run, ...]:
        wanted = TaskRunFilter(flow_run_id=TaskRunFilterFlowRunId(any_=list(parents)))
        with self._translated("reading tasks"):
            runs = partial(self._client.read_task_runs, task_run_filter=wanted, sort=TaskRunSort.ID_DESC)
            return tuple(task_run(run) for run in every_page(runs))

    def read_logs(self, runs: Iterable[UUID], after: datetime) -> tuple[LogLine, ...]:
        """All lines since the time, oldest first."""
        since = LogFilterTimestamp.model_validate({"after_": after})
        wanted = LogFilter(flow_run_id=LogFilterFlowRunId(any_=list(runs)), timestamp=since)
        with self._translated("reading logs"):
            lines = partial(self._client.read_logs, log_filter=wanted, sort=LogSort.TIMESTAMP_ASC)
            return tuple(log_line(line) for line in every_page(lines))

    def read_artifact(self, run: UUID, key: str) -> str | None:
        """The content of the run's artifact with this key; None if there is none."""
        of_run = ArtifactFilterFlowRunId(any_=[run])
        wanted = ArtifactFilter(flow_run_id=of_run, key=ArtifactFilterKey(any_=[key]))
        with self._translated(f"reading {key}"):
            found = self._client.read_artifacts(artifact_filter=wanted, sort=ArtifactSort.CREATED_DESC)
        return str(found[0].data) if found else None

    def count_workers(self, pool: str) -> int:
        """The number of workers with a recent heartbeat in the work pool; 0 if the pool does not exist."""
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
        """The page of the run in the Prefect UI."""
        return find_page(str(run)) or str(run)

    def page_of_pool(self, pool: str) -> str:
        return f"{find_ui()}/work-pools/work-pool/{pool}"

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        with translated(what, self.url):
            yield


def find_ui() -> str | None:
    """The address of the Prefect UI; None if neither PREFECT_UI_URL nor PREFECT_API_URL is set."""
    api = (PREFECT_API_URL.value() or "").rstrip("/").removesuffix("/api")
    return (PREFECT_UI_URL.value() or api).rstrip("/") or None


def find_page(run: str) -> str | None:
    """The page of a run in the Prefect UI. It does not check that the page exists."""
    ui = find_ui()
    return f"{ui}/runs/flow-run/{run}" if ui else None


def every_page(read: Callable[..., list[Found]]) -> Iterator[Found]:
    """The items of all pages. An item that is added between two requests can repeat another, but hides none."""
    for offset in itertools.count(0, PAGE):
        page = read(limit=PAGE, offset=offset)
        yield from page
        if len(page) < PAGE:
            return


@contextmanager
def translated(what: str, url: str) -> Iterator[None]:
    """Translate the exceptions of Prefect and httpx to a DeliveryError. what: the end of a sentence "... while"."""
    try:
        yield
    except httpx.UnsupportedProtocol as error:
        raise SettingsError(
            f"PREFECT_API_URL={url} is not a URL. Nothing was started. Set it to an address such as {EXAMPLE}."
        ) from error
    except httpx.TransportError as error:
        raise Unavailable(f"The Prefect server at {url} does not answer. Check that it runs.") from error
    except httpx.HTTPStatusError as error:  # The type of Prefect's own exceptions.
        status = error.response.status_code
        raise error_type(status)(f"The Prefect server answered {status} while {what}: {_reason(error)}") from error


def error_type(status: int) -> type[DeliveryError]:
    """The error for an HTTP status of the server, or of a proxy in front of it."""
    if is_transient(status):
        return Unavailable
    kinds: dict[int, type[DeliveryError]] = {HTTPStatus.NOT_FOUND: NotFound, HTTPStatus.CONFLICT: Conflict}
    return kinds.get(status, Rejected)


def _reason(error: httpx.HTTPStatusError) -> str:
    try:
        content = error.response.json()
    except ValueError:
        return error.response.text[:LONGEST_REASON]
    details = content.get("exception_detail") or [{"msg": content.get("detail") or content.get("exception_message")}]
    return "; ".join(str(detail.get("msg")) for detail in details)[:LONGEST_REASON]
