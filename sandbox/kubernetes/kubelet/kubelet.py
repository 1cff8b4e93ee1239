"""The kubelet and the scheduler: a pod that fits on the node is bound to it, and a worker runs its containers."""

import asyncio
import itertools
from collections.abc import Iterable

from sandbox.kubernetes.api.objects.kinds import PODS, Object, name_of, namespace_of
from sandbox.kubernetes.api.storage.registry import Registry, Write
from sandbox.kubernetes.api.storage.store import Change
from sandbox.kubernetes.controllers import events
from sandbox.kubernetes.controllers.loop import Name
from sandbox.kubernetes.kubelet.images import Puller
from sandbox.kubernetes.kubelet.pod_context import PodContext
from sandbox.kubernetes.kubelet.pods import PodWorker
from sandbox.kubernetes.kubelet.processes import Host
from sandbox.kubernetes.kubelet.scheduler import bind, mark_unschedulable, unschedulable_message

SCHEDULER = Write("default-scheduler")
SCHEDULER_STATUS = Write("default-scheduler", subresource="status")
# An unschedulable pod is retried after each of its changes, and after this time.
SCHEDULING_RETRY_SECONDS = 1.0


class Kubelet:
    """Reconciles one pod: schedules, starts and terminates it."""

    delay = 0.03

    def __init__(self, registry: Registry, host: Host, puller: Puller) -> None:
        self._registry = registry
        self._host = host
        self._puller = puller
        self._workers: dict[Name, PodWorker] = {}
        self._killing: set[asyncio.Task[None]] = set()
        self._numbers = itertools.count(1)

    def names_to_reconcile(self, change: Change) -> Iterable[Name]:
        return [(namespace_of(change.current), name_of(change.current))] if change.kind is PODS else []

    def reconcile(self, namespace: str, name: str) -> float | None:
        pod, worker = self._registry.find(PODS, namespace, name), self._workers.get((namespace, name))
        if worker and (pod is None or pod["metadata"]["uid"] != worker.uid):
            self._kill_worker(namespace, name)
            worker = None
        if pod is None:
            return None
        if pod["metadata"].get("deletionTimestamp"):
            self._terminate(pod, worker)
        elif worker:
            worker.write_status()
        else:
            return self._schedule(pod)
        return None

    async def stop(self) -> None:
        """Stop the processes of all pods."""
        await asyncio.gather(*self._killing, *(worker.kill() for worker in self._workers.values()))

    def _schedule(self, pod: Object) -> float | None:
        """Start the pod if the node has room for it. Otherwise return the seconds until the next attempt."""
        message = unschedulable_message(pod, self._registry.select(PODS))
        if message is None:
            self._start(pod)
            return None
        written = self._registry.change(
            PODS, namespace_of(pod), name_of(pod), lambda found: mark_unschedulable(found, message), SCHEDULER_STATUS
        )
        if written["metadata"]["resourceVersion"] != pod["metadata"]["resourceVersion"]:
            events.record(self._registry, SCHEDULER.manager, pod, "FailedScheduling", message, warning=True)
        return SCHEDULING_RETRY_SECONDS

    def _start(self, pod: Object) -> None:
        bound = self._registry.change(PODS, namespace_of(pod), name_of(pod), bind, SCHEDULER)
        context = PodContext(self._registry, self._host, self._puller, bound, self._next_address())
        self._workers[namespace_of(pod), name_of(pod)] = PodWorker(context)

    def _terminate(self, pod: Object, worker: PodWorker | None) -> None:
        if worker:
            worker.terminate(pod["metadata"].get("deletionGracePeriodSeconds", 30))
        else:
            self._registry.finish_deletion(PODS, namespace_of(pod), name_of(pod))

    def _kill_worker(self, namespace: str, name: str) -> None:
        task = asyncio.create_task(self._workers.pop((namespace, name)).kill())
        self._killing.add(task)
        task.add_done_callback(self._killing.discard)

    def _next_address(self) -> str:
        """The next address of the pod network. After 64000 pods the addresses start from the beginning."""
        third, fourth = divmod(next(self._numbers) % 64_000, 250)
        return f"{self._host.addresses.pod_network}.{third}.{fourth + 2}"
