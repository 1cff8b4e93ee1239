"""What the command line asks of Prefect's server, with its errors translated once."""

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
from delivery.errors import Conflict, DeliveryError, NotFound, Rejected, SettingsError, Unavailable, is_passing

# A worker tells the server of itself every half a minute.
WORKER_IS_GONE_AFTER = timedelta(seconds=75)
PAGE = 200
LONGEST_REASON = 500
EXAMPLE = "http://host:4200/api"
UNFINISHED = [StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING, StateType.PAUSED]

Found = TypeVar("Found")


class PrefectApi:
    """One connection to the server that PREFECT_API_URL names.

    Each method raises Unavailable where the server does not answer.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._client: SyncPrefectClient = get_client(sync_client=True)

    @classmethod
    def connect(cls) -> Self:
        """Raises SettingsError without an address, for Prefect would start a server of its own, with nothing in it;
        and for the address of something else.
        """
        if not (url := PREFECT_API_URL.value()):
            raise SettingsError(f"PREFECT_API_URL is not set: name Prefect's server, as {EXAMPLE}. Nothing was begun.")
        api = cls(url)
        api.require_prefect()
        return api

    def require_prefect(self) -> None:
        """Raises SettingsError where somebody answers who is no Prefect server."""
        wrong = (
            f"PREFECT_API_URL={self.url} is not where a Prefect server's API answers: it is as {EXAMPLE}, with /api at "
            "its end. Nothing was begun."
        )
        try:
            with self._translated("saying its version"):
                self._client.api_version()
        except (NotFound, Conflict, Rejected, ValueError) as error:
            raise SettingsError(wrong) from error
        except Unavailable as error:
            raise Unavailable(f"{error} Nothing was begun.") from error

    def submit(self, deployment: str, parameters: dict[str, Any]) -> UUID:
        """The new run's id; a worker picks it up. Raises NotFound where nothing is deployed under the name."""
        with self._translated(f"submitting {deployment}"):
            try:
                found = self._client.read_deployment_by_name(deployment)
            except ObjectNotFound as error:
                raise NotFound(
                    f"Prefect at {self.url} has no deployment {deployment}: nothing was submitted. Make it, and then "
                    "start this again: slipway install"
                ) from error
            return self._client.create_flow_run_from_deployment(found.id, parameters=parameters).id

    def cancel(self, run: UUID) -> None:
        """At once where nobody has taken it; its worker ends it otherwise."""
        with self._translated(f"cancelling run {run}"):
            self._client.set_flow_run_state(run, Cancelling())

    def list_unfinished(self, deployments: Iterable[tuple[str, str]]) -> tuple[Run, ...]:
        """The runs of these deployments, each by its flow's name and its own, that have not ended; oldest first."""
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
        """The runs that were started by one of the parents, not by their children."""
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
        """All lines from the time on, oldest first."""
        since = LogFilterTimestamp.model_validate({"after_": after})
        wanted = LogFilter(flow_run_id=LogFilterFlowRunId(any_=list(runs)), timestamp=since)
        with self._translated("reading logs"):
            lines = partial(self._client.read_logs, log_filter=wanted, sort=LogSort.TIMESTAMP_ASC)
            return tuple(log_line(line) for line in every_page(lines))

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
        return find_page(str(run)) or str(run)

    def page_of_pool(self, pool: str) -> str:
        return f"{find_ui()}/work-pools/work-pool/{pool}"

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        with translated(what, self.url):
            yield


def find_ui() -> str | None:
    """Where Prefect's UI is; None where neither PREFECT_UI_URL nor PREFECT_API_URL tells."""
    api = (PREFECT_API_URL.value() or "").rstrip("/").removesuffix("/api")
    return (PREFECT_UI_URL.value() or api).rstrip("/") or None


def find_page(run: str) -> str | None:
    """Where Prefect's UI shows the run; nobody is asked whether it is there."""
    ui = find_ui()
    return f"{ui}/runs/flow-run/{run}" if ui else None


def every_page(read: Callable[..., list[Found]]) -> Iterator[Found]:
    """Something new between two pages moves what is after it: some comes twice, and nothing is left out."""
    for offset in itertools.count(0, PAGE):
        page = read(limit=PAGE, offset=offset)
        yield from page
        if len(page) < PAGE:
            return


@contextmanager
def translated(what: str, url: str) -> Iterator[None]:
    """Prefect's and httpx's errors as ours. what: continues "while "."""
    try:
        yield
    except httpx.UnsupportedProtocol as error:
        raise SettingsError(f"PREFECT_API_URL={url} is no address: it is as {EXAMPLE}. Nothing was begun.") from error
    except httpx.TransportError as error:
        raise Unavailable(f"Prefect's server at {url} does not answer. Is it running?") from error
    except httpx.HTTPStatusError as error:  # Prefect's own are of this type.
        status = error.response.status_code
        raise error_type(status)(f"Prefect's server answered {status} while {what}: {_reason(error)}") from error


def error_type(status: int) -> type[DeliveryError]:
    """Which error an answer is. A server, or what stands before it, that has too much to do may answer next time."""
    if is_passing(status):
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
