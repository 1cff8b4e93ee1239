from delivery.canary.verdict import Verdict
from delivery.check import Check, cannot_tell, sum_up
from delivery.plan import PartPlan, Phase, Step, StepAction
from delivery.rollout.weights import WeightSource
from delivery.verification import (
    judge_answer,
    judge_part,
    judge_rollout,
    judge_unfinished,
)
from tests.delivery.rollout.objects import aborted, at_pause, at_rest


def part(action: StepAction) -> PartPlan:
    return PartPlan(steps=(Step(phase=Phase.TOPICS, name="clicks", action=action),))


def test_a_part_with_nothing_to_do_is_as_planned() -> None:
    check = judge_part(Phase.TOPICS, part(StepAction.NOTHING))
    assert (check.verdict, check.seen) == (Verdict.PASS, "1 as planned")


def test_a_part_that_would_change_is_not_as_planned() -> None:
    check = judge_part(Phase.TOPICS, part(StepAction.CHANGE))
    assert (check.verdict, check.seen) == (Verdict.FAIL, "clicks: change")


def test_a_part_without_steps_has_not_passed() -> None:
    assert judge_part(Phase.TOPICS, PartPlan()).verdict is Verdict.FAIL


def test_a_refusal_is_not_as_planned() -> None:
    refused = PartPlan(steps=part(StepAction.NOTHING).steps, refusals=("clicks would shrink.",))
    assert judge_part(Phase.TOPICS, refused).seen == "clicks would shrink."


def test_what_is_there_besides_is_told_and_does_not_fail_a_check() -> None:
    found = part(StepAction.NOTHING).model_copy(update={"findings": ("shop.other: in no list of [topics].",)})
    check = judge_part(Phase.TOPICS, found)
    assert (check.verdict, check.seen) == (Verdict.PASS, "1 as planned; besides shop.other: in no list of [topics]")


def test_a_rollout_at_rest_fails_where_a_listener_rule_still_sends_to_another_revision() -> None:
    check = judge_rollout(at_rest(), [WeightSource("the Rollout's status", 0), WeightSource("listener rule 1", 20)])
    assert (check.verdict, check.seen) == (Verdict.FAIL, "wanted 0 %, but listener rule 1 says 20 %")


def test_a_canary_that_stands_still_fails_with_its_share_its_release_and_the_ways_on() -> None:
    check = judge_unfinished("production", at_pause(), 7)
    assert check.verdict is Verdict.FAIL
    assert check.seen == "20 % of the traffic at release 7's canary, revision 2, sha256:bb, and nobody moves it"
    assert check.advice == (
        "slipway release production --digest sha256:bb goes on with it, "
        "slipway rollback production --revision 1 takes it back"
    )


def test_a_canary_that_was_aborted_can_only_be_taken_back() -> None:
    check = judge_unfinished("production", aborted(), None)
    assert check.seen == (
        "0 % of the traffic at a canary, revision 2, sha256:bb, which was aborted and is still the Rollout's template"
    )
    assert check.advice == "slipway rollback production --revision 1 takes it back"


def test_what_to_do_about_a_failed_check_is_told_behind_it() -> None:
    failed = Check(name="rollout", verdict=Verdict.FAIL, seen="20 %", wanted="0 %", advice="slipway rollback helps")
    other = failed.model_copy(update={"name": "other", "advice": ""})
    assert sum_up([failed, other])[1] == (
        "2 of 2 checks fail. rollout: saw 20 %, wanted 0 %. slipway rollback helps. other: saw 20 %, wanted 0 %."
    )


def test_only_200_passes() -> None:
    verdicts = [judge_answer("backend", "https://x", status).verdict for status in (200, 204, 302, 503, None)]
    assert verdicts == [Verdict.PASS, *[Verdict.FAIL] * 4]


def test_a_failed_check_outweighs_one_that_cannot_tell() -> None:
    failed = Check(name="backend", verdict=Verdict.FAIL, seen="HTTP 503", wanted="HTTP 200")
    verdict, sentence = sum_up([cannot_tell("topics", "the brokers are down", "six topics"), failed])
    assert (verdict, sentence) == (Verdict.FAIL, "1 of 2 checks fail. backend: saw HTTP 503, wanted HTTP 200.")


def test_what_cannot_be_told_has_not_passed() -> None:
    verdict, _ = sum_up([cannot_tell("topics", "the brokers are down", "six topics")])
    assert verdict is Verdict.INCONCLUSIVE
