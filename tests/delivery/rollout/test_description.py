from dataclasses import replace

from delivery.errors import Unavailable
from delivery.rollout.description import (
    describe_for_journal,
    describe_unfinished_canary,
    describe_unknown_weights,
    describe_weights_and_advice,
)
from delivery.rollout.weights import WeightSource
from tests.delivery.rollout.objects import CANARY, CANARY_IMAGE, STABLE, STABLE_IMAGE, aborted, at_pause
from tests.delivery.rollout.test_weights import ROLLOUT_SPEC

STATUS, INGRESS = WeightSource("the Rollout's status", 20), WeightSource("the annotation of Ingress front", 20)


def test_a_journal_record_has_the_stable_revision_and_the_hash_of_the_template() -> None:
    assert describe_for_journal(at_pause()) == {
        "exists": True,
        "stable_hash": STABLE,
        "stable_image": STABLE_IMAGE,
        "stable_revision": 1,
        "current_hash": CANARY,
        "step": 1,
    }


def test_a_journal_record_says_that_the_rollout_does_not_exist() -> None:
    assert describe_for_journal(None) == {"exists": False, "stable_hash": ""}


def test_an_unfinished_canary_is_described_with_its_weight_and_the_commands_that_finish_it() -> None:
    assert describe_unfinished_canary("production", at_pause(), [STATUS, INGRESS]) == (
        "The canary has 20 % of the traffic, confirmed at the load balancer, and is not monitored. To continue: "
        f"slipway release production --digest {CANARY_IMAGE.partition('@')[2]}. "
        "To roll back: slipway rollback production --revision 1."
    )


def test_an_aborted_canary_is_described_without_a_command_that_continues_it() -> None:
    assert "To continue" not in describe_unfinished_canary("production", aborted(), [replace(STATUS, weight_percent=0)])


def test_an_unfinished_canary_with_another_weight_in_a_source_is_not_confirmed() -> None:
    described = describe_unfinished_canary("production", at_pause(), [STATUS, replace(INGRESS, weight_percent=40)])
    sentence = (
        "The canary is not monitored, and its weight is not confirmed: wanted 20 %, but the annotation of Ingress "
        "front has weight 40 %. To continue: slipway release production --digest "
    )
    assert described.startswith(sentence)


def test_the_advice_is_on_the_load_balancer_if_it_does_not_follow_the_ingress() -> None:
    rule = WeightSource("listener rule 1", 30)
    behind = describe_weights_and_advice(ROLLOUT_SPEC, [STATUS, INGRESS, rule])
    assert "listener rule 1 has weight 30 %. The load balancer does not follow its Ingress." in behind
    equal = describe_weights_and_advice(ROLLOUT_SPEC, [STATUS, INGRESS, replace(rule, weight_percent=20)])
    assert "listener rule 1 has weight 20 %. To fix it manually: kubectl argo rollouts get rollout backend" in equal


def test_weights_that_cannot_be_read_are_unknown() -> None:
    described = describe_unknown_weights(Unavailable("The load balancer did not answer."))
    assert described == "Weight of the new revision: unknown (The load balancer did not answer)."
