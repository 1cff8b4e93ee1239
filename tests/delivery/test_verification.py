from delivery.canary.verdict import Verdict
from delivery.check import Check, inconclusive_check, summarize_checks
from delivery.plan import PartPlan, Phase, Step, StepAction
from delivery.rollout.weights import WeightSource
from delivery.verification import (
    judge_answer,
    judge_rollout,
    judge_topics,
    judge_unfinished,
)
from tests.delivery.rollout.objects import aborted, at_pause, idle


def part(action: StepAction) -> PartPlan:
    return PartPlan(steps=(Step(phase=Phase.TOPICS, name="clicks", action=action),))


def test_a_part_with_nothing_to_do_is_as_specified() -> None:
    check = judge_topics(part(StepAction.NOTHING))
    assert (check.verdict, check.seen) == (Verdict.PASS, "1 as specified")


def test_a_part_that_would_change_is_not_as_specified() -> None:
    check = judge_topics(part(StepAction.CHANGE))
    assert (check.verdict, check.seen) == (Verdict.FAIL, "clicks: change")


def test_a_part_without_steps_has_not_passed() -> None:
    assert judge_topics(PartPlan()).verdict is Verdict.FAIL


def test_a_refusal_is_not_as_specified() -> None:
    refused = PartPlan(steps=part(StepAction.NOTHING).steps, refusals=("clicks would shrink.",))
    assert judge_topics(refused).seen == "clicks would shrink."


def test_a_finding_is_reported_and_does_not_fail_a_check() -> None:
    found = part(StepAction.NOTHING).model_copy(update={"findings": ("shop.other: in no list of [topics].",)})
    check = judge_topics(found)
    assert (check.verdict, check.seen) == (
        Verdict.PASS,
        "1 as specified; also found: shop.other: in no list of [topics]",
    )


def test_a_healthy_rollout_fails_if_a_listener_rule_still_sends_traffic_to_another_revision() -> None:
    check = judge_rollout(idle(), [WeightSource("the Rollout's status", 0), WeightSource("listener rule 1", 20)])
    assert (check.verdict, check.seen) == (Verdict.FAIL, "wanted 0 %, but listener rule 1 has weight 20 %")


def test_a_canary_that_no_process_judges_fails_with_its_weight_its_release_and_the_next_commands() -> None:
    check = judge_unfinished("production", at_pause(), 7)
    assert check.verdict is Verdict.FAIL
    assert check.seen == "the canary of release 7 at weight 20 %: revision 2, sha256:bb, which no process judges"
    assert check.advice == (
        "To resume it: slipway release production --digest sha256:bb. "
        "To roll it back: slipway rollback production --revision 1"
    )


def test_a_canary_that_was_aborted_can_only_be_rolled_back() -> None:
    check = judge_unfinished("production", aborted(), None)
    assert check.seen == (
        "a canary at weight 0 %: revision 2, sha256:bb, which was aborted and is still in the Rollout's template"
    )
    assert check.advice == "To roll it back: slipway rollback production --revision 1"


def test_the_advice_follows_its_failed_check() -> None:
    failed = Check(name="rollout", verdict=Verdict.FAIL, seen="20 %", wanted="0 %", advice="slipway rollback helps")
    other = failed.model_copy(update={"name": "other", "advice": ""})
    assert summarize_checks([failed, other])[1] == (
        "2 of 2 checks fail. rollout failed: 20 %. Expected: 0 %. slipway rollback helps. other failed: 20 %. "
        "Expected: 0 %."
    )


def test_only_200_passes() -> None:
    verdicts = [judge_answer("backend", "https://x", status).verdict for status in (200, 204, 302, 503, None)]
    assert verdicts == [Verdict.PASS, *[Verdict.FAIL] * 4]


def test_an_endpoint_without_a_response_fails_with_the_time_it_had() -> None:
    check = judge_answer("backend", "https://x", None)
    assert (check.seen, check.wanted) == ("no response within 30 s", "HTTP 200 from https://x")


def test_a_failed_check_outweighs_an_inconclusive_one() -> None:
    failed = Check(name="backend", verdict=Verdict.FAIL, seen="HTTP 503", wanted="HTTP 200")
    verdict, sentence = summarize_checks([inconclusive_check("topics", "the brokers are down", "six topics"), failed])
    assert (verdict, sentence) == (Verdict.FAIL, "1 of 2 checks fail. backend failed: HTTP 503. Expected: HTTP 200.")


def test_a_check_that_could_not_be_read_has_not_passed() -> None:
    verdict, sentence = summarize_checks([inconclusive_check("topics", "The brokers are down.", "six topics")])
    assert verdict is Verdict.INCONCLUSIVE
    assert sentence == "1 of 1 checks are inconclusive. topics could not be checked: The brokers are down."
