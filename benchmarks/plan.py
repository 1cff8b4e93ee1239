"""The time of a plan, for different numbers of steps.

    python -m benchmarks.plan

The time is from the observed state to the text of the plan. The response times of AWS and of the brokers are not
included. The minimum of several rounds is printed, because other work only ever makes a round slower.
"""

import json
import time
from collections.abc import Callable

from delivery.plan import join_plan
from delivery.plan_text import describe_plan
from delivery.stacks.assembly import StackSpec
from delivery.stacks.planning import plan_stacks
from delivery.stacks.state import ObservedStack, PropertyChange, ResourceChange, StackState
from delivery.topics import ObservedTopic, TopicSpec, plan_topics

TOPICS = (6, 60, 600)
STACKS = (6, 60, 200)
RESOURCES_PER_STACK = 25
CHANGES_PER_STACK = 5
ROUNDS = 40
# Growth of the time from the smallest to the largest count, divided by the growth of the count. 1.0 is linear.
TARGET_GROWTH = 1.3


def main() -> None:
    compare("topics", TOPICS, topics_to_plan)
    compare("stacks", STACKS, stacks_to_plan)


def compare(what: str, counts: tuple[int, ...], prepare: Callable[[int], Callable[[], object]]) -> None:
    """A line for each count, and the growth from the first to the last."""
    times = {count: best_of(prepare(count)) for count in counts}
    for count, seconds in times.items():
        print(f"{count:>4} {what}   {seconds * 1000:8.2f} ms   {seconds / count * 1e6:7.1f} us per step")
    first, last = counts[0], counts[-1]
    growth = (times[last] / times[first]) / (last / first)
    print(f"growth {growth:.2f} of linear, {'on target' if growth <= TARGET_GROWTH else 'ABOVE the target'}\n")


def best_of(work: Callable[[], object]) -> float:
    return min(timed(work) for _ in range(ROUNDS))


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def topics_to_plan(count: int) -> Callable[[], object]:
    """Every other topic exists and has a retention that is too short."""
    wanted = [
        TopicSpec(
            name=f"genai-demo.{n}", partitions=6, replication_factor=3, configuration={"retention.ms": "604800000"}
        )
        for n in range(count)
    ]
    short = {"configuration": {"retention.ms": "86400000"}}
    observed = {topic.name: ObservedTopic.model_validate(topic.model_dump() | short) for topic in wanted[::2]}
    return lambda: describe_plan(join_plan("production", "sha256:0", [plan_topics(wanted, observed)], ()))


def stacks_to_plan(count: int) -> Callable[[], object]:
    """A chain of stacks. In each, some resources have a changed property."""
    resources = {
        f"R{n}": {"Type": "AWS::SSM::Parameter", "Properties": {"Value": "1"}} for n in range(RESOURCES_PER_STACK)
    }
    template = json.dumps({"Resources": resources})
    ids = [f"Stack{n}" for n in range(count)]
    assembly = [
        StackSpec(id=name, name=name.lower(), template=template, depends_on=tuple(ids[n - 1 : n]))
        for n, name in enumerate(ids)
    ]
    observed = {name: changed_stack(name) for name in ids}
    return lambda: describe_plan(join_plan("production", "sha256:0", [plan_stacks(assembly, observed)], ()))


def changed_stack(name: str) -> ObservedStack:
    state = StackState(arn=name, name=name.lower(), status="UPDATE_COMPLETE")
    value = PropertyChange(path="Value", before="1", after="2")
    changes = tuple(
        ResourceChange(logical_id=f"R{n}", type="AWS::SSM::Parameter", action="Modify", properties=(value,))
        for n in range(CHANGES_PER_STACK)
    )
    return ObservedStack(id=name, state=state, changes=changes, is_changed=True)


if __name__ == "__main__":
    main()
