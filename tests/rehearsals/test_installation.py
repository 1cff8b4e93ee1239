"""A first installation whose stack fails, then whose brokers do not answer, then goes on."""

import pytest

from tests.rehearsals.conftest import NO_CAPACITY, Installation

pytestmark = pytest.mark.rehearsal


def test_a_failed_stack_is_named_with_its_resource_and_reason_and_what_to_do(installation: Installation) -> None:
    ended = installation.no_capacity
    assert ended.exit_code == 8
    assert ended.sentence.startswith("UNFINISHED  MSKStack (genai-demo-production-msk) ended in ROLLBACK_COMPLETE.")
    assert f"Cluster (AWS::MSK::Cluster) CREATE_FAILED: {NO_CAPACITY}." in ended.sentence
    assert "the release creates the stack again" in ended.sentence


def test_stacks_under_way_are_followed_to_their_end_and_dependents_are_not_started(installation: Installation) -> None:
    sentence = installation.no_capacity.sentence
    assert "Finished: NetworkStack, SecurityStack, RDSStack, EKSStack. Not started: ObservabilityStack." in sentence
    kept = sentence.partition("These changes of this release stay: ")[2]
    assert all(f"Infrastructure/{name}" in kept for name in ("NetworkStack", "SecurityStack", "RDSStack", "EKSStack"))


def test_no_topic_is_touched_after_a_failed_stack(installation: Installation) -> None:
    assert installation.topics_after_it == []
    assert "configure topic" not in installation.no_capacity.output


def test_the_next_release_deletes_the_failed_stack_and_continues(installation: Installation) -> None:
    assert "first deletes the stack of a failed creation (ROLLBACK_COMPLETE)" in installation.frozen.output
    assert "deploy MSKStack" in installation.frozen.output
    assert "configure topics of release 2" in installation.frozen.output


def test_brokers_that_do_not_answer_are_asked_again_and_then_named(installation: Installation) -> None:
    ended = installation.frozen
    assert ended.exit_code == 8
    assert ended.sentence.startswith("UNFINISHED  ")
    assert "topics are not as specified" in ended.sentence
    assert "Could not" in ended.sentence
    assert "Retrying" in ended.output
    assert (
        "The traffic was not changed. Fix the cause, then start the release again: it continues from this state."
        in ended.sentence
    )


def test_the_next_release_completes_once_the_brokers_answer(installation: Installation) -> None:
    ended = installation.last
    assert ended.exit_code == 0
    assert ended.sentence.startswith("COMPLETED  Release 3: ")
    assert "5 of 5 checks pass." in ended.sentence
