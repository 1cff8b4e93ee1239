from delivery.plan import Phase, ReleasePlan, Reversibility, Step, StepAction
from delivery.plan_text import describe_phase, describe_plan

DIGEST = "sha256:" + "a" * 64
REVERSIBLE = "Way back: all of it can be put back as it was."


def step(
    name: str, *changes: str, action: StepAction = StepAction.CREATE, way_back: Reversibility = Reversibility.REVERSIBLE
) -> Step:
    return Step(phase=Phase.TOPICS, name=name, action=action, way_back=way_back, changes=changes)


def plan(*steps: Step, findings: tuple[str, ...] = ()) -> ReleasePlan:
    return ReleasePlan(environment="production", artifact_digest=DIGEST, steps=steps, findings=findings)


def topics(*steps: Step) -> list[str]:
    return list(describe_phase(plan(*steps), Phase.TOPICS))


def test_a_phase_without_changes_is_one_line() -> None:
    unchanged = step("a", action=StepAction.NOTHING)
    assert topics(unchanged, unchanged) == ["Topics: nothing to do (2 as planned)"]


def test_a_phase_of_which_nothing_is_known_is_not_told() -> None:
    assert topics() == []


def test_what_stays_as_it_is_in_a_phase_with_changes_is_one_line() -> None:
    lines = topics(
        step("a", action=StepAction.NOTHING), step("b", "6 partitions"), step("c", action=StepAction.NOTHING)
    )
    assert lines == ["Topics:", "  create  b  6 partitions", "  as it is  a, c"]


def test_a_change_has_a_line_for_each_property() -> None:
    changed = step("a", "partitions: 3 -> 6", "retention.ms: 14 days -> 30 days", action=StepAction.CHANGE)
    assert topics(changed) == [
        "Topics:",
        "  change  a",
        "            partitions: 3 -> 6",
        "            retention.ms: 14 days -> 30 days",
    ]


def test_steps_of_which_the_same_is_to_be_said_are_named_together() -> None:
    assert topics(step("a", "known after MSK"), step("b", "known after MSK")) == [
        "Topics:",
        "  create  a, b",
        "            known after MSK",
    ]


def test_what_all_steps_have_in_common_is_said_once() -> None:
    lines = topics(step("short", "6 partitions", "3 replicas"), step("longer", "1 partition", "3 replicas"))
    assert lines == ["Topics:", "  create  short   6 partitions", "  create  longer  1 partition", "  all: 3 replicas"]


def test_what_costs_something_to_put_back_is_marked_and_explained() -> None:
    lines = describe_plan(
        plan(step("a", way_back=Reversibility.COSTLY), step("b"), step("c", way_back=Reversibility.NONE))
    )
    assert "  create  a (costly)\n  create  b\n  create  c (no way back)" in lines
    assert lines.splitlines()[-3:] == [
        "Way back: what is not marked can be put back as it was.",
        "  costly: putting it back restarts, rebuilds or deletes what holds data",
        "  no way back: it is taken in one direction only, or what it deletes does not return",
    ]


def test_a_plan_that_can_be_put_back_says_so_and_one_without_changes_says_nothing_of_it() -> None:
    assert describe_plan(plan(step("a"))).endswith(REVERSIBLE)
    assert "Way back" not in describe_plan(plan(step("a", action=StepAction.NOTHING)))


def test_what_was_found_stands_before_the_phases() -> None:
    heading, found, *_ = describe_plan(plan(step("a"), findings=("Release 3 did not end.",))).splitlines()
    assert heading.endswith(f"for production: {DIGEST}")
    assert found == "Found: Release 3 did not end."


def test_many_names_are_wrapped_and_none_is_broken() -> None:
    _, first, second = topics(*(step(f"Service {'n' * 35}{number}") for number in range(3)))
    assert len(first) <= 110
    assert second == f"{' ' * 10}Service {'n' * 35}2"
