from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from prefect import flow, get_run_logger, task
from prefect.client.orchestration import get_client
from prefect.client.schemas import State
from prefect.client.schemas.actions import LogCreate
from prefect.states import Failed

from cli.following import SHOW_AFTER, Follower, RunSnapshot
from cli.lines import OF_FLOWS, Kind, Line, result_of, say_failure, say_retry, shorten, shorten_block
from clients.prefect.api import PAGE, PrefectApi
from delivery.errors import NotFound, Unavailable
from sandbox.testing import eventually

FOREVER = datetime.max.replace(tzinfo=UTC)


@task(task_run_name="judge {weight} %")
def judge(weight: int) -> None:
    get_run_logger().info(f"{weight} %  pass")
    if weight == 40:
        raise Unavailable("CloudWatch does not answer.")


@task(task_run_name="watch {weight} %")
def watch(weight: int) -> None:
    judge(weight)


@task(task_run_name="read")
def read_closely() -> None:
    """Part of the task that calls it."""


@task(task_run_name="confirm")
def confirm() -> None:
    read_closely()


@task(task_run_name="deploy MSKStack")
def deploy_stack() -> None:
    get_run_logger().info("MSKStack: 3 of 5 resources done")
    get_run_logger().info("MSKStack: created, 5 resources")


@flow(name="roll-out", flow_run_name="roll out")
def roll_out() -> None:
    judge(20)
    confirm()
    deploy_stack()
    watch(40)


@flow(name="deploy-production", flow_run_name="release")
def deploy() -> State[None]:
    read_closely()
    try:
        roll_out()
    except Unavailable:
        return Failed(name="RolledBack", message="41 serves all traffic.")
    raise AssertionError


@pytest.fixture(scope="module")
def finished(prefect_server: str) -> tuple[Follower, RunSnapshot]:
    """A run that ended as rolled back, once all of its log lines have arrived."""
    state = deploy(return_state=True)
    assert state.state_details.flow_run_id
    follower = Follower(PrefectApi(prefect_server), state.state_details.flow_run_id)
    eventually(lambda: follower.has_all_lines(follower.read()))
    return follower, Follower(follower.api, follower.run).read()


def lines_of(finished: tuple[Follower, RunSnapshot]) -> list[Line]:
    return Follower(finished[0].api, finished[0].run).new_lines(finished[1], FOREVER)


def test_a_run_ends_by_the_name_of_its_state(finished: tuple[Follower, RunSnapshot]) -> None:
    root = finished[1].root
    assert (root.state_type, root.state_name, root.message) == ("FAILED", "RolledBack", "41 serves all traffic.")


def test_phases_tasks_and_lines_are_shown_in_their_order(finished: tuple[Follower, RunSnapshot]) -> None:
    assert [(line.kind, line.depth, line.text) for line in lines_of(finished) if line.kind is not Kind.TASK] == [
        (Kind.PHASE, 0, "roll out"),
        (Kind.PROGRESS, 1, "20 %  pass"),
        (Kind.PROGRESS, 1, "MSKStack: 3 of 5 resources done"),
        (Kind.PROGRESS, 1, "40 %  pass"),
    ]
    tasks = [(line.depth, line.text, line.state) for line in lines_of(finished) if line.kind is Kind.TASK]
    assert tasks[:2] == [(0, "read", "Completed"), (1, "judge 20 %", "Completed")]
    assert (1, "judge 40 %", "Failed") in tasks


def test_a_task_called_by_a_task_is_shown_only_if_it_failed(finished: tuple[Follower, RunSnapshot]) -> None:
    tasks = [line.text for line in lines_of(finished) if line.kind is Kind.TASK]
    assert tasks.count("read") == 1
    assert tasks.index("confirm") < tasks.index("judge 40 %") < tasks.index("watch 40 %")


def test_the_result_of_a_task_is_shown_after_its_name(finished: tuple[Follower, RunSnapshot]) -> None:
    assert [line.result for line in lines_of(finished) if line.text == "deploy MSKStack"] == ["created, 5 resources"]


@pytest.mark.parametrize("text", ["RDSStack: created", "created", "Stack: created"])
def test_a_line_about_something_else_is_not_the_result_of_the_task(text: str) -> None:
    assert result_of(text, "deploy MSKStack") == ""


def test_a_line_about_a_pause_is_not_the_result_of_its_task() -> None:
    waiting = "20 %: 172 requests to the stable revision, 57 to the canary; earliest promotion at 01:40:49 UTC"
    assert result_of(waiting, "watch the canary at 20 %") == ""
    assert result_of(waiting, "wait for approval at 20 %") == ""


def test_a_run_has_all_its_lines_with_its_own_last_one_not_a_tasks(finished: tuple[Follower, RunSnapshot]) -> None:
    follower, snapshot = finished
    of_tasks = tuple(line for line in snapshot.lines if line.logger == "prefect.task_runs")
    assert any(line.text.startswith("Finished in state") and line.run == follower.run for line in of_tasks)
    assert not follower.has_all_lines(replace(snapshot, lines=of_tasks))


def test_the_same_failure_is_explained_once(finished: tuple[Follower, RunSnapshot]) -> None:
    messages = [line.message for line in lines_of(finished) if line.message]
    assert messages == ["CloudWatch does not answer."]


def test_nothing_is_shown_twice(finished: tuple[Follower, RunSnapshot]) -> None:
    follower = Follower(finished[0].api, finished[0].run)
    assert follower.new_lines(finished[1], FOREVER)
    assert follower.new_lines(finished[1], FOREVER) == []


def test_a_line_younger_than_asked_for_is_kept_for_later(finished: tuple[Follower, RunSnapshot]) -> None:
    follower = Follower(finished[0].api, finished[0].run)
    assert follower.new_lines(finished[1], datetime(2020, 1, 1, tzinfo=UTC)) == []
    assert follower.new_lines(finished[1], FOREVER)


@pytest.fixture
def run(prefect_server: str) -> UUID:
    """A run that no worker executes; the test writes its log."""
    with get_client(sync_client=True) as client:
        return client.create_flow_run(deploy).id


def say(run: UUID, at: datetime, texts: Iterable[str]) -> None:
    """Log lines of a run, as a worker sends them whose clock shows that time."""
    about = {"name": OF_FLOWS, "level": 20, "flow_run_id": run}
    lines = [
        LogCreate.model_validate(about | {"message": text, "timestamp": at + timedelta(milliseconds=number)})
        for number, text in enumerate(texts)
    ]
    with get_client(sync_client=True) as client:
        client.create_logs(lines)


def test_a_log_of_several_pages_is_shown_completely(prefect_server: str, run: UUID) -> None:
    texts = [f"line {number}" for number in range(2 * PAGE + 10)]
    say(run, datetime.now(UTC) - timedelta(minutes=1), texts)
    follower = Follower(PrefectApi(prefect_server), run)
    assert [line.text for line in follower.new_lines(follower.read(), FOREVER)] == texts


@pytest.mark.parametrize("ahead", [timedelta(), timedelta(minutes=10)])
def test_a_line_is_shown_once_and_soon_whatever_the_workers_clock_shows(
    ahead: timedelta, prefect_server: str, run: UUID
) -> None:
    follower, shown = Follower(PrefectApi(prefect_server), run), []
    for number in range(3):
        now = datetime.now(UTC)
        say(run, now + ahead + timedelta(seconds=20 * number) - timedelta(minutes=2), [f"line {number}"])
        snapshot = follower.read()
        until = follower.settled_at(datetime.now(UTC) + SHOW_AFTER)
        shown.append([line.text for line in follower.new_lines(snapshot, until)])
    assert shown == [["line 0"], ["line 1"], ["line 2"]]


def test_a_line_that_was_read_early_is_shown_when_its_time_has_come(prefect_server: str, run: UUID) -> None:
    follower, now = Follower(PrefectApi(prefect_server), run), datetime.now(UTC)
    say(run, now, ["early"])
    assert follower.new_lines(follower.read(), now - SHOW_AFTER) == []
    say(run, now + timedelta(minutes=1), ["much later"])
    follower.read()
    assert [line.text for line in follower.new_lines(follower.read(), now + SHOW_AFTER)] == ["early"]


def test_the_message_of_the_runs_end_is_no_line_of_its_own(finished: tuple[Follower, RunSnapshot]) -> None:
    assert finished[1].root.message not in [line.text for line in lines_of(finished)]


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("Task run encountered an exception StopRequested: ana asked.", ("Stopped", "")),
        ("Task run encountered an exception Refused: No revision was given.", ("Refused", "")),
        ("Task run encountered an exception: ChecksFailed: 1 of 5 checks fail.", ("Failed", "")),
        ("Task run encountered an exception StackFailed: RDSStack failed.", ("Failed", "RDSStack failed.")),
    ],
)
def test_the_message_of_the_runs_end_is_not_shown_at_the_task_as_well(message: str, shown: tuple[str, str]) -> None:
    assert say_failure("Failed", message) == shown


def test_a_deployment_that_is_not_there_is_named_with_the_command_that_makes_it(prefect_server: str) -> None:
    with pytest.raises(
        NotFound, match=r"no Prefect deployment deploy-nowhere/nowhere\. Nothing was submitted\. .* slipway install"
    ):
        PrefectApi(prefect_server).submit("deploy-nowhere/nowhere", {})


def test_a_pool_that_is_not_there_has_no_workers(prefect_server: str) -> None:
    assert PrefectApi(prefect_server).count_workers("nowhere") == 0


@pytest.mark.parametrize(
    ("attempt", "sentence"),
    [
        ("1/4", "configure topic a: MSK throttled us. Retrying in 2.1 s (1 of 4)."),
        ("2/4", "configure topic a: Retrying in 2.1 s (2 of 4)."),
    ],
)
def test_a_retry_is_shown_as_a_sentence_with_its_reason_once(attempt: str, sentence: str) -> None:
    failed = "Task run failed with exception: Unavailable('MSK throttled us.')"
    line = f"{failed} - Retry {attempt} will start 2.0956 second(s) from now"
    assert say_retry(line, "configure topic a") == sentence


def test_digests_are_shortened() -> None:
    assert shorten("release sha256:" + "ab" * 32) == "release sha256:abababababab…"


def test_a_digest_in_a_command_stays_complete_so_that_it_can_be_copied() -> None:
    command = f"slipway release production --digest sha256:{'ab' * 32} resumes it"
    assert shorten(command) == command


def test_the_heading_of_a_block_keeps_its_digest_in_full() -> None:
    digest = "sha256:" + "ab" * 32
    assert shorten_block(f"Plan 1 for {digest}\n  {digest}") == f"Plan 1 for {digest}\n  sha256:abababababab…"
    assert shorten_block(f"waiting for {digest}") == "waiting for sha256:abababababab…"
