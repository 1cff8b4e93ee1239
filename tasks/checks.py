"""The checks of an environment. They change nothing. A check that cannot be read is inconclusive."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from prefect import task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from clients.http import connect_http
from delivery.application.addons import ALL_INSTALLED, judge_addons
from delivery.canary.verdict import Verdict
from delivery.check import Check, inconclusive_check, summarize_checks
from delivery.environment import Environment
from delivery.errors import ChecksFailed, DeliveryError, Inconclusive, Unavailable
from delivery.rollback.revisions import last_tried
from delivery.rollout.snapshot import RolloutSnapshot
from delivery.stacks.check import WANTED
from delivery.verification import (
    ANSWER_DEADLINE,
    ONE_REVISION,
    TOPICS_AS_SPECIFIED,
    expected_answer,
    judge_answer,
    judge_rollout,
    judge_topics,
    judge_unfinished,
)
from tasks.application.addons import observe_addons
from tasks.rollout.live import connect_rollout
from tasks.runs.artifacts import showing
from tasks.runs.log import progress
from tasks.runs.waiting import poll_until
from tasks.stacks.comparison import compare_stacks
from tasks.state.history import read_journals_since
from tasks.state.lock import read_lock
from tasks.topics import make_topic_plan


@task(task_run_name="confirm that {environment.name} is not locked", cache_policy=NO_CACHE)
def require_unlocked(environment: Environment) -> None:
    """Raises Inconclusive if a release has the lock: during a release, the environment differs from its plan."""
    lock = read_lock(environment)
    if lock is not None and not lock.is_over(datetime.now(UTC)):
        raise Inconclusive(
            f"{environment.name} is locked by {lock.describe()}, which verifies its own result. Nothing was checked. "
            f"When that release has ended, try again: slipway verify {environment.name}."
        )


@task(task_run_name="check stacks", cache_policy=NO_CACHE)
def check_stacks(environment: Environment) -> Check:
    """Each stack has the template, parameters, tags and protection of the assembly. No change set is created."""
    return checked("stacks", WANTED, lambda: compare_stacks(environment))


@task(task_run_name="check add-ons", cache_policy=NO_CACHE)
def check_addons(environment: Environment) -> Check:
    """The cluster contains each add-on of the environment's file, and those that a release needs are running."""
    wanted = environment.addons.wanted
    return checked("add-ons", ALL_INSTALLED, lambda: judge_addons(wanted, observe_addons(environment)))


@task(task_run_name="check topics", cache_policy=NO_CACHE)
def check_topics(environment: Environment) -> Check:
    """The brokers report each topic as the environment's file specifies it."""
    return checked("topics", TOPICS_AS_SPECIFIED, lambda: judge_topics(make_topic_plan(environment)))


@task(task_run_name="check rollout", cache_policy=NO_CACHE)
def check_rollout(environment: Environment) -> Check:
    """The Rollout is healthy: one revision, with all of its pods available and all traffic at each listener rule."""
    return checked("rollout", ONE_REVISION, lambda: read_rollout_check(environment))


def read_rollout_check(environment: Environment) -> Check:
    live = connect_rollout(environment)
    snapshot = live.find()
    if snapshot is not None and snapshot.is_unfinished:
        return judge_unfinished(environment.name, snapshot, find_canary_release(environment, snapshot))
    return judge_rollout(snapshot, live.read_weight_sources() if snapshot else ())


def find_canary_release(environment: Environment, snapshot: RolloutSnapshot) -> int | None:
    """The release that created the canary in progress; None if no journal shows it."""
    if snapshot.current is None:
        return None
    try:
        journals = read_journals_since(environment, datetime.fromisoformat(snapshot.current.created_at))
    except DeliveryError as error:
        progress(f"The release that created the canary is unknown: {error}")
        return None
    return last_tried(journals, snapshot.current_hash)


@task(task_run_name="check {name}", cache_policy=NO_CACHE)
def check_address(environment: Environment, name: str, url: str) -> Check:
    """The URL answers HTTP 200 at the public endpoint."""
    return read_address_check(environment, name, url)


def read_address_check(environment: Environment, name: str, url: str) -> Check:
    return checked(name, expected_answer(url), lambda: judge_answer(name, url, wait_for_answer(environment, url)))


def wait_for_answer(environment: Environment, url: str, within: timedelta = ANSWER_DEADLINE) -> int | None:
    """The HTTP status: 200 as soon as the URL answers it, otherwise the last one within 30 s; None for no response."""
    try:
        status, _ = poll_until(
            lambda: read_status(environment, url),
            lambda seen: seen == HTTPStatus.OK,
            poll=environment.canary.poll,
            deadline=within,
        )
    except Unavailable as error:
        # An endpoint that cannot be reached fails the check; it is not inconclusive.
        progress(str(error))
        return None
    return status


def read_status(environment: Environment, url: str) -> int:
    with connect_http(environment) as http:
        return http.get(url).status_code


def checked(name: str, wanted: str, read: Callable[[], Check]) -> Check:
    """The check that was read; inconclusive if it could not be read."""
    try:
        return read()
    except DeliveryError as error:
        return inconclusive_check(name, str(error), wanted)


@task(task_run_name="summarize the checks of {environment.name}", cache_policy=NO_CACHE)
def conclude(environment: Environment, checks: Sequence[Check]) -> str:
    """The summary of all checks, also shown in the artifact `checks-<environment>` of the run.

    Raises ChecksFailed if a check failed, and Inconclusive if none failed and one is inconclusive.
    """
    rows = [check.model_dump(mode="json") for check in checks]
    with showing("The table of checks"):
        create_table_artifact(table=rows, key=checks_key(environment.name), description=f"Checks of {environment.name}")
    for check in checks:
        progress(f"{check.verdict}  {check.name}: {check.seen}{f'. {check.advice}' if check.advice else ''}")
    verdict, sentence = summarize_checks(checks)
    if verdict is Verdict.PASS:
        return sentence
    raise (ChecksFailed if verdict is Verdict.FAIL else Inconclusive)(sentence)


def checks_key(environment_name: str) -> str:
    return f"checks-{environment_name}"
