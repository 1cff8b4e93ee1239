"""Whether the pods that were seen at the beginning of a canary step still serve."""

from collections.abc import Iterable

from delivery.rollout.pods import Pod


def why_worse(before: Iterable[Pod], now: Iterable[Pod]) -> str | None:
    """The first pod that was restarted, or lost its readiness, since it was seen; None: none was.

    A pod that is new since then may still be starting, and one that is being deleted has served.
    """
    known = {pod.name: pod for pod in before}
    for pod in now:
        was = known.get(pod.name)
        if was and pod.restarts > was.restarts:
            return f"pod {pod.name} was restarted {pod.restarts - was.restarts} times while it was watched"
        if was and was.is_ready and not (pod.is_ready or pod.is_ending):
            return f"pod {pod.name} is not ready any more"
    return None
