from delivery.plan import Phase, ReleasePlan, Reversibility, Step, StepAction
from delivery.plan_text import describe_phase, describe_plan

DIGEST = "sha256:" + "a" * 64
REVERSIBLE = "Reversibility: all steps are reversible."


def step(
    name: str,
    *changes: str,
    action: StepAction = StepAction.CREATE,
    reversibility: Reversibility = Reversibility.REVERSIBLE,
) -> Step:
    return Step(phase=Phase.TOPICS, name=name, action=action, reversibility=reversibility, changes=changes)


def plan(*steps: Step, findings: tuple[str, ...] = ()) -> ReleasePlan:
    return ReleasePlan(environment="production", artifact_digest=DIGEST, steps=steps, findings=findings)


def topics(*steps: Step) -> list[str]:
    return list(describe_phase(plan(*steps), Phase.TOPICS))


def test_a_phase_without_changes_has_one_line() -> None:
    unchanged = step("a", action=StepAction.NOTHING)
    assert topics(unchanged, unchanged) == ["Topics: nothing to do (2 unchanged)"]


def test_a_phase_without_steps_has_no_line() -> None:
    assert topics() == []


def test_the_unchanged_steps_of_a_phase_with_changes_have_one_line() -> None:
    lines = topics(
        step("a", action=StepAction.NOTHING), step("b", "6 partitions"), step("c", action=StepAction.NOTHING)
    )
    assert lines == ["Topics:", "  create  b  6 partitions", "  unchanged  a, c"]


def test_a_change_has_a_line_for_each_property() -> None:
    changed = step("a", "partitions: 3 -> 6", "retention.ms: 14 days -> 30 days", action=StepAction.CHANGE)
    assert topics(changed) == [
        "Topics:",
        "  change  a",
        "            partitions: 3 -> 6",
        "            retention.ms: 14 days -> 30 days",
    ]


def test_steps_with_the_same_changes_are_grouped() -> None:
    assert topics(step("a", "known after MSK"), step("b", "known after MSK")) == [
        "Topics:",
        "  create  a, b",
        "            known after MSK",
    ]


def test_the_changes_that_all_steps_share_have_one_line() -> None:
    lines = topics(step("short", "6 partitions", "3 replicas"), step("longer", "1 partition", "3 replicas"))
    assert lines == ["Topics:", "  create  short   6 partitions", "  create  longer  1 partition", "  all: 3 replicas"]


def test_steps_that_are_not_reversible_are_marked_and_the_marks_are_explained() -> None:
    costly = step("a", reversibility=Reversibility.COSTLY)
    irreversible = step("c", reversibility=Reversibility.IRREVERSIBLE)
    text = describe_plan(plan(costly, step("b"), irreversible))
    assert "  create  a (costly to undo)\n  create  b\n  create  c (irreversible)" in text
    assert text.splitlines()[-3:] == [
        "Reversibility: steps without a mark are reversible.",
        "  costly to undo: undoing it restarts or rebuilds resources, or deletes resources that store data",
        "  irreversible: cannot be undone, or deletes data",
    ]


def test_a_reversible_plan_says_so_and_a_plan_without_changes_has_no_such_line() -> None:
    assert describe_plan(plan(step("a"))).endswith(REVERSIBLE)
    assert "Reversibility" not in describe_plan(plan(step("a", action=StepAction.NOTHING)))


def test_the_findings_are_before_the_phases() -> None:
    heading, note, *_ = describe_plan(plan(step("a"), findings=("Release 3 has no recorded end.",))).splitlines()
    assert heading.endswith(f"for production: {DIGEST}")
    assert note == "Note: Release 3 has no recorded end."


def test_many_names_are_wrapped_and_no_name_is_broken() -> None:
    _, first, second = topics(*(step(f"Service {'n' * 35}{number}") for number in range(3)))
    assert len(first) <= 110
    assert second == f"{' ' * 10}Service {'n' * 35}2"
