"""Whether the pods that existed when a canary step began still serve."""

from collections.abc import Iterable

from delivery.rollout.pods import Pod


def why_worse(before: Iterable[Pod], now: Iterable[Pod]) -> str | None:
    """The first pod that has restarted or is no longer ready, as a clause. None if there is no such pod.

    A pod that was created during the step may still be starting, and a terminating pod is not expected to be ready.
    """
    earlier_pods = {pod.name: pod for pod in before}
    for pod in now:
        earlier = earlier_pods.get(pod.name)
        if earlier and pod.restarts > earlier.restarts:
            return f"pod {pod.name} restarted {pod.restarts - earlier.restarts} times during the canary step"
        if earlier and earlier.is_ready and not (pod.is_ready or pod.is_terminating):
            return f"pod {pod.name} is no longer ready"
    return None
