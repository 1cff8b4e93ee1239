"""The way back of a Rollout: where a failed release found it, or to the revision that an operator chose."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prefect import task

from delivery.environment import Environment
from delivery.errors import DeliveryError, HoldLost, NotApplied, RollBackFailed, StopRequested, Unavailable
from delivery.release import Release
from delivery.rollback.compensation import join_sentences
from delivery.rollback.history import rollout_at_start
from delivery.rollback.revisions import Target, describe_kept_since, describe_number
from delivery.rollout.conditions import why_not_done
from delivery.rollout.manifests import HASH_LABEL
from tasks.rollout.abort import abort_rollout, end_canary
from tasks.rollout.describe import describe_rest, describe_share, describe_stand
from tasks.rollout.live import LiveSystem, connect_system, read_objects, selector_of
from tasks.rollout.template import put_back_template
from tasks.runs.waiting import ASKED_AGAIN
from tasks.state.journal import effect, read_journal

# Longer than anything else is asked again: nobody else brings the traffic back.
WAY_BACK = ASKED_AGAIN | {"retries": 12, "retry_delay_seconds": [2, 4, 8, 16, 30]}


@task(**WAY_BACK, task_run_name="take the application back")
def take_back_application(environment: Environment, release: Release) -> str:
    """Bring the Rollout back to where this release found it, by the journal; return the sentence that says so.

    Empty where the release did not touch it. Raises RollBackFailed where the way back did not arrive, StopRequested
    where somebody asked for that, both with where the traffic is.
    """
    # The journal first: a release that failed before there was a cluster has nothing to take back, and says why itself.
    found = found_at_start(environment, release)
    if found is None:
        return ""
    live = connect_system(environment)
    with telling_where_traffic_is(live):
        return return_to_start(live, release, found)


@task(**WAY_BACK, task_run_name="put revision {target.number} back")
def put_back_revision(environment: Environment, release: Release, target: Target) -> str:
    """Give all traffic to an earlier revision, whatever is under way; return the sentence that says so.

    Raises as take_back_application does.
    """
    live = connect_system(environment)
    with telling_where_traffic_is(live):
        sentence = return_to(live, release, target.found.hash)
        return join_sentences([sentence, describe_number(target, live.read()), describe_kept_since(target)])


@contextmanager
def telling_where_traffic_is(live: LiveSystem) -> Iterator[None]:
    """Around a way back: what ends it says where it left the traffic. What may be answered next time stays that."""
    try:
        yield
    except StopRequested as stop:
        raise StopRequested(f"{stop} {describe_stand(live)}") from stop
    except HoldLost as lost:
        raise HoldLost(f"{lost} {describe_share(live)}") from lost
    except Unavailable as error:
        raise Unavailable(f"{error} {describe_rest(live)}") from error
    except DeliveryError as error:
        raise RollBackFailed(f"{error} {describe_rest(live)}") from error


def return_to_start(live: LiveSystem, release: Release, found: dict[str, Any]) -> str:
    """found: the Rollout as the release found it. One that had no stable revision yet may be serving all the same."""
    if not found["exists"]:
        return uninstall(live, release)
    if not found["stable_hash"]:
        raise NotApplied(f"Rollout {live.system.rollout} had no stable revision to go back to when the release began.")
    return return_to(live, release, found["stable_hash"])


def return_to(live: LiveSystem, release: Release, pod_hash: str) -> str:
    """All traffic on this revision, read back at the listener rules."""
    make_way(live, release, pod_hash)
    if why_not_done(live.read(), pod_hash) is not None:
        put_back_template(live, release, pod_hash)
    live.confirm_share(0)
    serving = live.read().stable
    # A revision's number moves when it is used again; its digest does not.
    named = f"{serving.revision}, {serving.artifact_digest or serving.image}," if serving else pod_hash
    return f"Revision {named} serves all traffic, read back from the load balancer."


def make_way(live: LiveSystem, release: Release, pod_hash: str) -> None:
    """Nothing but this revision is on its way.

    Only a way to the stable revision waits for that one: where another was asked for, it may be what is broken.
    """
    reading = live.read()
    is_on_its_way = reading.current_hash == pod_hash and not reading.is_abort_asked
    if not reading.is_unfinished or is_on_its_way:
        return
    if pod_hash in (reading.stable_hash, reading.current_hash):
        abort_rollout(live, release)
    else:
        end_canary(live, release)


def uninstall(live: LiveSystem, release: Release) -> str:
    """There was no revision before this release: without the Rollout its pods are gone again."""
    name, pods_of_it = live.system.rollout, select_pods(live.environment)
    with effect(live.environment, release, live.step, {"exists": live.find() is not None, "stable_hash": ""}) as done:
        live.cluster.delete("Rollout", name, live.system.namespace)
        live.wait_until(
            lambda: live.cluster.list("Pod", live.system.namespace, pods_of_it),
            lambda pods: f"{len(pods)} pods are left" if pods else None,
            "the pods to end",
            deadline=live.environment.canary.ready_deadline,
        )
        done.read_back = {"exists": False}
    return f"There was no revision before: Rollout {name} and its pods were taken away again."


def select_pods(environment: Environment) -> str:
    """The Rollout's pods by its manifest, which tells them once it is gone; none of another Rollout's."""
    (rollout,) = (found for found in read_objects(environment) if found["kind"] == "Rollout")
    return f"{selector_of(rollout)},{HASH_LABEL}"


def found_at_start(environment: Environment, release: Release) -> dict[str, Any] | None:
    """The Rollout as the release's first intent on it found it; None where the release never got that far."""
    return rollout_at_start(read_journal(environment, release.number))
