"""What stops a canary: each is told by name, and all traffic is back where it was."""

import pytest

from sandbox.aws.client import client
from sandbox.images import REPOSITORY
from tests.guide.counts import shares
from tests.guide.rehearsal import Ending, Rehearsal

pytestmark = pytest.mark.proof
BACK = "serves all traffic, read back from the load balancer."


def assert_taken_back(rehearsal: Rehearsal, ended: Ending) -> None:
    assert ended.exit_code == 5, ended.output
    assert ended.sentence.startswith("ROLLED BACK  ")
    assert BACK in ended.sentence
    assert shares(rehearsal) == {0.0}


def test_a_weight_that_the_load_balancer_does_not_take_is_named_by_its_rules_and_taken_back(
    production: Rehearsal,
) -> None:
    """The link from Ingress to listener rules is cut: the controller's writes are answered, and are not done."""
    with production.fault(kind="ignore", match="elasticloadbalancing:ModifyRule", caller="sandbox"):
        ended = production.release(production.push("cut"))
        assert_taken_back(production, ended)
    assert "for the canary's weight of 20 %: wanted 20 %, but " in ended.sentence
    assert "listener rule 1 of :443" in ended.sentence
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


def test_a_release_whose_pods_crash_is_taken_back_with_their_exit_code(production: Rehearsal) -> None:
    ended = production.release(production.push("crashing", "crash-loop"))
    assert_taken_back(production, ended)
    assert "CrashLoopBackOff (it ended with exit code 1)" in ended.sentence


def test_an_image_that_is_gone_after_the_plan_is_named_and_taken_back(production: Rehearsal) -> None:
    digest = production.push("gone")
    command = production.start_release(digest)
    command.wait_for("check that nothing moved .* done")
    ecr = client("ecr", production.sandbox.addresses, production.sandbox.settings)
    ecr.batch_delete_image(repositoryName=REPOSITORY, imageIds=[{"imageDigest": digest}])
    ended = command.wait()
    assert_taken_back(production, ended)
    assert "ErrImagePull" in ended.sentence or "ImagePullBackOff" in ended.sentence
    assert f"{digest[:19]}…" in ended.sentence


def test_without_any_traffic_nothing_is_promoted(production: Rehearsal) -> None:
    with production.without("traffic"):
        ended = production.release(production.push("unseen"))
    assert_taken_back(production, ended)
    assert "The canary was not promoted past 20 %: no requests reached the new revision." in ended.sentence
    assert production.judged() == [(20, "inconclusive")]
