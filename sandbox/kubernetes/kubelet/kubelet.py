"""The kubelet, and the scheduler before it: a pod that has room is placed on this machine and gets a worker."""

import asyncio
import itertools
from collections.abc import Iterable

from sandbox.kubernetes.api.kinds import PODS, Object, name_of, namespace_of
from sandbox.kubernetes.api.registry import Registry, Write
from sandbox.kubernetes.api.store import Change
from sandbox.kubernetes.controllers import events
from sandbox.kubernetes.controllers.loop import Name
from sandbox.kubernetes.kubelet.images import Puller
from sandbox.kubernetes.kubelet.pod_context import PodContext
from sandbox.kubernetes.kubelet.pods import PodWorker
from sandbox.kubernetes.kubelet.processes import Host
from sandbox.kubernetes.kubelet.scheduler import place, refuse, why_no_room

SCHEDULER = Write("default-scheduler")
REFUSED = Write("default-scheduler", subresource="status")
# A pod that found no room is looked at again with every change of its own, and after so long.
SECONDS_TO_TRY_AGAIN = 1.0


class Kubelet:
    """Reconciles one pod: places it, starts it, ends it."""

    delay = 0.03

    def __init__(self, registry: Registry, host: Host, puller: Puller) -> None:
        self._registry = registry
        self._host = host
        self._puller = puller
        self._workers: dict[Name, PodWorker] = {}
        self._killing: set[asyncio.Task[None]] = set()
        self._numbers = itertools.count(1)

    def concerned(self, change: Change) -> Iterable[Name]:
        return [(namespace_of(change.current), name_of(change.current))] if change.kind is PODS else []

    def reconcile(self, namespace: str, name: str) -> float | None:
        pod, worker = self._registry.find(PODS, namespace, name), self._workers.get((namespace, name))
        if worker and (pod is None or pod["metadata"]["uid"] != worker.uid):
            self._forget(namespace, name)
            worker = None
        if pod is None:
            return None
        if pod["metadata"].get("deletionTimestamp"):
            self._end(pod, worker)
        elif worker:
            worker.write_status()
        else:
            return self._schedule(pod)
        return None

    async def stop(self) -> None:
        """End every pod's processes."""
        await asyncio.gather(*self._killing, *(worker.kill() for worker in self._workers.values()))

    def _schedule(self, pod: Object) -> float | None:
        """Start the pod where there is room for it; seconds until it is tried again where there is none."""
        why = why_no_room(pod, self._registry.select(PODS))
        if why is None:
            self._start(pod)
            return None
        refused = self._registry.change(
            PODS, namespace_of(pod), name_of(pod), lambda found: refuse(found, why), REFUSED
        )
        if refused["metadata"]["resourceVersion"] != pod["metadata"]["resourceVersion"]:
            events.record(self._registry, SCHEDULER.manager, pod, "FailedScheduling", why, warning=True)
        return SECONDS_TO_TRY_AGAIN

    def _start(self, pod: Object) -> None:
        placed = self._registry.change(PODS, namespace_of(pod), name_of(pod), place, SCHEDULER)
        context = PodContext(self._registry, self._host, self._puller, placed, self._next_address())
        self._workers[namespace_of(pod), name_of(pod)] = PodWorker(context)

    def _end(self, pod: Object, worker: PodWorker | None) -> None:
        if worker:
            worker.terminate(pod["metadata"].get("deletionGracePeriodSeconds", 30))
        else:
            self._registry.finish_deletion(PODS, namespace_of(pod), name_of(pod))

    def _forget(self, namespace: str, name: str) -> None:
        task = asyncio.create_task(self._workers.pop((namespace, name)).kill())
        self._killing.add(task)
        task.add_done_callback(self._killing.discard)

    def _next_address(self) -> str:
        """Addresses are given out in order and start over after 64000 pods."""
        third, fourth = divmod(next(self._numbers) % 64_000, 250)
        return f"{self._host.addresses.pod_network}.{third}.{fourth + 2}"
