"""One pod on this machine: runs its containers until the last process ends."""

import asyncio

from sandbox.kubernetes.api.objects.kinds import PODS, Object, name_of, namespace_of, value_at
from sandbox.kubernetes.api.storage.registry import Write
from sandbox.kubernetes.kubelet.containers import Container
from sandbox.kubernetes.kubelet.environment import ConfigError
from sandbox.kubernetes.kubelet.pod_context import MANAGER, PodContext
from sandbox.kubernetes.kubelet.pod_status import pod_status
from sandbox.kubernetes.kubelet.volumes import mount_volumes, unmount_volumes

MOUNT_RETRY_SECONDS = 5.0


class PodWorker:
    """Runs the containers of one pod and writes its status."""

    def __init__(self, context: PodContext) -> None:
        self._context = context
        self._containers = [Container(context, spec, self.write_status) for spec in context.pod["spec"]["containers"]]
        self._running = asyncio.create_task(self._run())
        self._ending: asyncio.Task[None] | None = None

    @property
    def uid(self) -> str:
        return self._context.pod["metadata"]["uid"]

    def write_status(self) -> None:
        """Write the pod's current status, unless the pod is gone or another pod has its name."""
        namespace, name = namespace_of(self._context.pod), name_of(self._context.pod)
        found = self._context.registry.find(PODS, namespace, name)
        if found is None or found["metadata"]["uid"] != self.uid:
            return
        statuses = [container.status for container in self._containers]

        def build(current: Object) -> Object:
            return {**current, "status": pod_status(current, self._context.address, statuses)}

        self._context.registry.change(PODS, namespace, name, build, Write(MANAGER, subresource="status"))

    def terminate(self, grace_seconds: int) -> None:
        """Start the termination of the pod. The object is removed after its last process ends."""
        if self._ending is None:
            self._ending = asyncio.create_task(self._terminate(grace_seconds))

    async def kill(self) -> None:
        """Kill every process immediately."""
        self._running.cancel()
        await asyncio.gather(*(container.stop(0.0) for container in self._containers))
        unmount_volumes(self._context.host.root(self._context.pod))

    async def _run(self) -> None:
        self.write_status()
        await self._mount()
        await asyncio.gather(*(container.run() for container in self._containers))

    async def _mount(self) -> None:
        context = self._context
        while True:
            try:
                mount_volumes(context.registry, context.pod, context.host.root(context.pod))
            except ConfigError as error:
                context.record_event("FailedMount", str(error), warning=True)
                await asyncio.sleep(context.host.seconds(MOUNT_RETRY_SECONDS))
            else:
                return

    async def _terminate(self, grace_seconds: int) -> None:
        """Stop the containers. The grace period includes the sleep of preStop and the time after SIGTERM."""
        context = self._context
        context.record_event("Killing", "Stopping the pod's containers")
        sleeps = [value_at(spec, "lifecycle.preStop.sleep.seconds") or 0 for spec in context.pod["spec"]["containers"]]
        pause = min(max(sleeps), grace_seconds)
        await asyncio.sleep(context.host.seconds(pause))
        self._running.cancel()
        grace = max(context.host.seconds(grace_seconds - pause), 0.1)
        await asyncio.gather(*(container.stop(grace) for container in self._containers))
        unmount_volumes(context.host.root(context.pod))
        self._remove_object()

    def _remove_object(self) -> None:
        namespace, name = namespace_of(self._context.pod), name_of(self._context.pod)
        found = self._context.registry.find(PODS, namespace, name)
        if found and found["metadata"]["uid"] == self.uid:
            self._context.registry.finish_deletion(PODS, namespace, name)
