"""What aborts a canary: each reason is named, and the stable revision serves all traffic again."""

import re

import pytest

from sandbox.aws.client import client
from sandbox.images import REPOSITORY
from tests.rehearsals.counts import weights
from tests.rehearsals.rehearsal import Ending, Rehearsal

pytestmark = pytest.mark.rehearsal
SERVES_ALL_TRAFFIC = "serves all traffic, confirmed at the load balancer."


def assert_rolled_back(rehearsal: Rehearsal, ended: Ending) -> None:
    assert ended.exit_code == 5, ended.output
    assert ended.sentence.startswith("ROLLED BACK  ")
    assert SERVES_ALL_TRAFFIC in ended.sentence
    assert weights(rehearsal) == {0.0}


def test_a_weight_that_the_load_balancer_does_not_take_is_named_by_its_rules_and_rolled_back(
    production: Rehearsal,
) -> None:
    """The load balancer controller's writes of listener rules are answered and have no effect."""
    with production.fault(kind="ignore", match="elasticloadbalancing:ModifyRule", caller="sandbox"):
        ended = production.release(production.push("cut"))
        assert_rolled_back(production, ended)
    assert "for the canary's weight of 20 %: wanted 20 %, but " in ended.sentence
    assert "listener rule with priority 1 on port 443" in ended.sentence
    assert production.judged() == []


def test_two_digests_with_their_behaviours_swapped_have_their_verdicts_swapped(production: Rehearsal) -> None:
    """Nothing but the images differs: no file, no setting and no process between application and judge."""
    first = {name: verdict_of(production, f"{name}-1", says) for name, says in (("x", "healthy"), ("y", "errors"))}
    second = {name: verdict_of(production, f"{name}-2", says) for name, says in (("x", "errors"), ("y", "healthy"))}
    assert first == {"x": "pass", "y": "fail"}
    assert second == {"x": "fail", "y": "pass"}


def verdict_of(production: Rehearsal, name: str, behaviour: str) -> str:
    """Of the step at 20 %; the release is stopped after it."""
    command = production.start_release(production.push(name, behaviour))
    command.wait_for(r"20 %  (pass|fail|inconclusive)")
    production.slipway("stop", "--reason", "one step is enough")
    command.wait()
    return dict(production.judged())[20]


def test_a_release_whose_pods_crash_is_rolled_back_with_their_exit_code_and_last_words(production: Rehearsal) -> None:
    ended = production.release(production.push("crashing", "crash-loop"))
    assert_rolled_back(production, ended)
    assert "CrashLoopBackOff (exit code 1)" in ended.sentence
    assert re.search(r"last warning .*end of its log: .*out of memory: this image ends its process", ended.sentence)


def test_an_image_that_is_gone_after_the_plan_is_named_and_rolled_back(production: Rehearsal) -> None:
    digest = production.push("gone")
    command = production.start_release(digest)
    command.wait_for("check that nothing changed .* done")
    ecr = client("ecr", production.sandbox.addresses, production.sandbox.settings)
    ecr.batch_delete_image(repositoryName=REPOSITORY, imageIds=[{"imageDigest": digest}])
    ended = command.wait()
    assert_rolled_back(production, ended)
    assert "ErrImagePull" in ended.sentence or "ImagePullBackOff" in ended.sentence
    assert f"{digest[:19]}…" in ended.sentence


def test_without_any_traffic_nothing_is_promoted(production: Rehearsal) -> None:
    with production.without("traffic"):
        ended = production.release(production.push("unseen"))
    assert_rolled_back(production, ended)
    assert "The canary was inconclusive at 20 %. No proof within 24s; no requests were counted" in ended.sentence
    assert production.judged() == [(20, "inconclusive")]


def test_a_healthy_release_is_promoted_by_the_proof_of_every_step(production: Rehearsal) -> None:
    ended = production.release(production.push("well"))
    assert ended.exit_code == 0, ended.output
    assert production.judged() == [(weight, "pass") for weight in (20, 40, 60, 80)]
    assert weights(production) == {0.0}


def test_a_release_whose_requests_fail_is_rolled_back_before_its_pause_has_run(production: Rehearsal) -> None:
    ended = production.release(production.push("broken", "errors"))
    assert_rolled_back(production, ended)
    assert re.search(r"failed at 20 %\. Harm is proven: \d+ of \d+ requests to the canary", ended.sentence)
    assert production.judged() == [(20, "fail")]


def test_a_release_of_which_one_request_in_twenty_fails_is_rolled_back(production: Rehearsal) -> None:
    """The stable revision fails none, so some hundred of the canary's requests prove it: longer than other pauses."""
    with production.installed_with(SLIPWAY_CANARY__PAUSE="90s"):
        ended = production.release(production.push("one-in-twenty", "few-errors"))
    assert_rolled_back(production, ended)
    assert re.search(r"failed at 20 %\. Harm is proven: \d+ of \d+ requests to the canary", ended.sentence)


def test_a_release_that_is_slow_is_rolled_back_although_nothing_fails(production: Rehearsal) -> None:
    ended = production.release(production.push("slow", "slow"))
    assert_rolled_back(production, ended)
    failures = r"0 of \d+ requests to the canary failed, 0 of \d+ to the stable revision"
    assert re.search(rf"Harm is proven: {failures}; \d+ requests to the canary were slow", ended.sentence)


def test_a_release_whose_counts_stop_is_never_promoted(production: Rehearsal) -> None:
    with production.fault(kind="ignore", match="monitoring:PutMetricData", caller="sandbox"):
        ended = production.release(production.push("uncounted"))
        assert_rolled_back(production, ended)
    assert "No proof within 24s; " in ended.sentence
    assert production.judged() == [(20, "inconclusive")]


def test_failures_of_both_revisions_do_not_count_against_the_canary_and_still_stop_it(production: Rehearsal) -> None:
    """The cache is away: two requests in three fail, whichever revision answers."""
    with production.installed_with(SLIPWAY_CANARY__PAUSE="20s"):
        command = production.start_release(production.push("innocent"))
        command.wait_for("confirm the weight of 20 %")
        with production.without("valkey"):
            command.wait_for(r"20 %  (fail|inconclusive)")
        ended = command.wait()
    assert_rolled_back(production, ended)
    assert "The success rate is below the minimum" in ended.sentence
    assert "the stable revision is below the minimum too, so the pause runs until" in ended.output
    assert "harm is proven" not in ended.output
