from typing import Any

import pytest

from demo.evidence import describe_failure, describe_steps, describe_weight_sources, missing_evidence

WEIGHTS = (20, 40, 60, 80)


def judged(
    weight: int,
    verdict: str = "pass",
    *,
    stable: int = 80,
    canary: int = 20,
    failures: int = 0,
    rule: float | None = None,
) -> Any:
    """rule: the weight that the listener rule states, if it differs."""
    arms = {"stable": {"requests": stable, "failures": 0}, "canary": {"requests": canary, "failures": failures}}
    read_back = {"Rollout": weight, "listener rule": weight if rule is None else rule}
    detail = {"weight_percent": weight, "read_back": read_back, "verdict": verdict, "seconds": 16.2, **arms}
    return {"step": f"Canary/{weight} %", "event": "judged", "detail": detail}


def ended(step: str, event: str = "done") -> Any:
    return {"step": step, "event": event, "detail": {}}


def release(digest: str, *records: Any, number: int = 2) -> Any:
    timed = [
        {**record, "sequence": sequence, "at": f"2026-11-24T12:00:{2 * sequence:02}Z"}
        for sequence, record in enumerate(records)
    ]
    return {
        "number": number,
        "artifact_digest": digest,
        "outcome": f"ROLLED BACK  sha256:{'b' * 64} serves.",
        "journal": timed,
    }


def test_a_canary_whose_steps_all_had_requests_of_both_arms_is_evidence() -> None:
    assert missing_evidence([release("B", *map(judged, WEIGHTS))], "B") is None


@pytest.mark.parametrize(("stable", "canary"), [(0, 20), (80, 0)])
def test_a_step_without_requests_of_an_arm_is_no_evidence(stable: int, canary: int) -> None:
    steps = [judged(20), judged(40), judged(60, stable=stable, canary=canary), judged(80)]
    assert "no requests to both revisions in closed periods at 60 %" in str(
        missing_evidence([release("B", *steps)], "B")
    )


def test_a_step_whose_weight_was_not_in_force_everywhere_is_no_evidence() -> None:
    steps = [judged(20), judged(40, rule=0.0), judged(60), judged(80)]
    assert "at 40 % without its weight confirmed by all sources" in str(missing_evidence([release("B", *steps)], "B"))


def test_a_step_that_was_never_judged_is_no_evidence() -> None:
    assert "at 80 %" in str(missing_evidence([release("B", *map(judged, WEIGHTS[:3]))], "B"))


def test_a_digest_that_was_never_released_is_no_evidence() -> None:
    assert "at 20 %" in str(missing_evidence([], "B"))


def test_a_step_that_was_promoted_without_passing_is_no_evidence() -> None:
    steps = [judged(20), judged(40, "inconclusive"), judged(60), judged(80)]
    assert "past 40 % with the verdict inconclusive" in str(missing_evidence([release("B", *steps)], "B"))


def test_a_second_release_of_what_serves_already_is_a_fault() -> None:
    twice = [release("B", *map(judged, WEIGHTS)), release("B", number=4)]
    assert "a second time" in str(missing_evidence(twice, "B"))


def test_the_table_has_a_line_for_each_judged_step_under_its_digests_name() -> None:
    heading, line = describe_steps([release("sha256:b", judged(20, failures=1))], {"sha256:b": "B"}).splitlines()
    assert " ".join(heading.split()) == "release weight weight confirmed by verdict stable canary duration"
    assert " ".join(line.split()) == "2 (B) 20 % 2 of 2 sources pass 0 of 80 failed 1 of 20 failed 16 s"


def test_a_failed_canary_is_shown_with_its_requests_and_its_rollback_with_its_steps() -> None:
    journal = [judged(20), judged(40, "fail", failures=7), ended("Canary/abort"), ended("Lock", "ended")]
    assert describe_failure([release("C", *journal)], "C").splitlines() == [
        "at 40 %: 7 of 20 requests to the canary failed, 0 of 80 to the stable revision",
        " 2.0 s after the verdict  the canary was aborted: the load balancer no longer sends requests to it",
        " 4.0 s after the verdict  the release ended and unlocked production",
        f"ROLLED BACK  sha256:{'b' * 12}… serves.",
    ]


def test_a_canary_that_did_not_fail_is_reported_as_that() -> None:
    assert describe_failure([release("C", judged(20))], "C") == "No step of its canary failed."


def test_the_weight_sources_are_named_with_the_number_of_listener_rules() -> None:
    said = {"the Rollout's status": 20, "the annotation of Ingress front": 20, "listener rule 1": 20}
    step = judged(20)
    step["detail"]["read_back"] = said
    assert describe_weight_sources([release("B"), release("C", step)]) == (
        "A weight is confirmed by 3 sources: the Rollout's status, the action in the Ingress annotation,\n"
        "and each listener rule of the load balancer that forwards to either revision (1)."
    )
    assert describe_weight_sources([release("B")]) == ""
