"""The checks after a release. Each only looks; what cannot be looked at is inconclusive, never passed."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from prefect import task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from clients.http import connect_http
from delivery.application.addons import ALL_THERE, judge_addons
from delivery.canary.verdict import Verdict
from delivery.check import Check, cannot_tell, sum_up
from delivery.environment import Environment
from delivery.errors import ChecksFailed, DeliveryError, Inconclusive, Unavailable
from delivery.plan import Phase
from delivery.rollback.revisions import last_tried
from delivery.rollout.snapshot import RolloutSnapshot
from delivery.stacks.check import WANTED
from delivery.verification import (
    ONE_REVISION,
    judge_answer,
    judge_part,
    judge_rollout,
    judge_unfinished,
)
from tasks.application.addons import observe_addons
from tasks.rollout.live import connect_rollout
from tasks.runs.artifacts import showing
from tasks.runs.log import progress
from tasks.runs.waiting import poll_until
from tasks.stacks.drift import compare_stacks
from tasks.state.history import read_journals_since
from tasks.state.lock import read_lock
from tasks.topics import make_topic_plan

# The guide looks once, half a minute after a change; a load balancer takes some of it to know new targets.
ANSWERS_WITHIN = timedelta(seconds=30)


@task(task_run_name="look whether {environment.name} is at rest", cache_policy=NO_CACHE)
def require_rest(environment: Environment) -> None:
    """No release is under way; raises Inconclusive otherwise, for what is in motion is not as planned yet."""
    lock = read_lock(environment)
    if lock is not None and not lock.is_over(datetime.now(UTC)):
        raise Inconclusive(
            f"{lock.describe()}, is under way and looks at its result itself. Nothing was checked. Look again when it "
            "has ended."
        )


@task(task_run_name="check stacks", cache_policy=NO_CACHE)
def check_stacks(environment: Environment) -> Check:
    """Every stack is as the assembly has it: template, parameters, tags, protection; no change set is made for it."""
    return checked("stacks", WANTED, lambda: compare_stacks(environment))


@task(task_run_name="check add-ons", cache_policy=NO_CACHE)
def check_addons(environment: Environment) -> Check:
    """The cluster holds each add-on that the environment's file wants, and those that a release needs run."""
    wanted = environment.addons.wanted
    return checked("add-ons", ALL_THERE, lambda: judge_addons(wanted, observe_addons(environment)))


@task(task_run_name="check topics", cache_policy=NO_CACHE)
def check_topics(environment: Environment) -> Check:
    """Every topic is as the environment's file says, as its brokers tell."""
    return checked("topics", "each as specified", lambda: judge_part(Phase.TOPICS, make_topic_plan(environment)))


@task(task_run_name="check rollout", cache_policy=NO_CACHE)
def check_rollout(environment: Environment) -> Check:
    """The rollout is healthy: one revision, all of its pods available, all traffic by every listener rule."""
    return checked("rollout", ONE_REVISION, lambda: read_rollout_check(environment))


def read_rollout_check(environment: Environment) -> Check:
    live = connect_rollout(environment)
    snapshot = live.find()
    if snapshot is not None and snapshot.is_unfinished:
        return judge_unfinished(environment.name, snapshot, find_releasing(environment, snapshot))
    return judge_rollout(snapshot, live.read_weight_sources() if snapshot else ())


def find_releasing(environment: Environment, snapshot: RolloutSnapshot) -> int | None:
    """The release that made the canary under way; None where no journal tells."""
    if snapshot.current is None:
        return None
    try:
        journals = read_journals_since(environment, datetime.fromisoformat(snapshot.current.created_at))
    except DeliveryError as error:
        progress(f"Which release made the canary cannot be told: {error}")
        return None
    return last_tried(journals, snapshot.current_hash)


@task(task_run_name="check {name}", cache_policy=NO_CACHE)
def check_address(environment: Environment, name: str, url: str) -> Check:
    """The address answers 200 by the front door, as a user reaches it."""
    return checked(name, f"HTTP 200 from {url}", lambda: judge_answer(name, url, wait_for_answer(environment, url)))


def wait_for_answer(environment: Environment, url: str, within: timedelta = ANSWERS_WITHIN) -> int | None:
    """The address's status: 200 as soon as it is, after half a minute whatever it is then; None for no answer."""
    try:
        status, _ = poll_until(
            lambda: read_status(environment, url),
            lambda seen: seen == HTTPStatus.OK,
            poll=environment.canary.poll,
            deadline=within,
        )
    except Unavailable as error:
        # Whoever cannot reach the front door is told so, and not that nobody could look.
        progress(str(error))
        return None
    return status


def read_status(environment: Environment, url: str) -> int:
    with connect_http(environment) as http:
        return http.get(url).status_code


def checked(name: str, wanted: str, look: Callable[[], Check]) -> Check:
    """What was seen; cannot tell where the look itself failed."""
    try:
        return look()
    except DeliveryError as error:
        return cannot_tell(name, str(error), wanted)


@task(task_run_name="sum up the checks of {environment.name}", cache_policy=NO_CACHE)
def conclude(environment: Environment, checks: Sequence[Check]) -> str:
    """All checks in one sentence, and in the run's artifact `checks-<environment>`.

    Raises ChecksFailed, or Inconclusive when none failed and one could not tell.
    """
    rows = [check.model_dump(mode="json") for check in checks]
    with showing("The table of checks"):
        create_table_artifact(table=rows, key=checks_key(environment.name), description="Checks after the release")
    for check in checks:
        progress(f"{check.verdict}  {check.name}: {check.seen}{f'; {check.advice}' if check.advice else ''}")
    verdict, sentence = sum_up(checks)
    if verdict is Verdict.PASS:
        return sentence
    raise (ChecksFailed if verdict is Verdict.FAIL else Inconclusive)(sentence)


def checks_key(environment: str) -> str:
    return f"checks-{environment}"
