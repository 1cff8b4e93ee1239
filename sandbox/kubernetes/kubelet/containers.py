"""The lifecycle of one container: pull, configure, start, probe and restart it, and maintain its status."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.kubernetes.api.objects.kinds import Object
from sandbox.kubernetes.clock import timestamp
from sandbox.kubernetes.kubelet import processes
from sandbox.kubernetes.kubelet.backoff import MAX_SECONDS, Backoff
from sandbox.kubernetes.kubelet.environment import ConfigError
from sandbox.kubernetes.kubelet.images import Image, PullError
from sandbox.kubernetes.kubelet.pod_context import PodContext
from sandbox.kubernetes.kubelet.probes import Probe, watch

CONFIG_RETRY_SECONDS = 5.0
BACKOFF_RESET_SECONDS = 2 * MAX_SECONDS


@dataclass
class ContainerStatus:
    """The status of one container in the pod's status. `state` and `last_state` are in the format of the API."""

    spec: Object
    image_id: str = ""
    state: Object = field(default_factory=lambda: {"waiting": {"reason": "ContainerCreating"}})
    last_state: Object = field(default_factory=dict)
    restarts: int = 0
    started: bool = False
    ready: bool = False

    def as_object(self) -> Object:
        return {
            "name": self.spec["name"],
            "image": self.spec["image"],
            "imageID": self.image_id,
            "state": self.state,
            "lastState": self.last_state,
            "restartCount": self.restarts,
            "started": self.started,
            "ready": self.ready,
        }

    def wait(self, reason: str, message: str) -> None:
        self.state = {"waiting": {"reason": reason, "message": message}}
        self.started = self.ready = False

    def run(self) -> None:
        self.state = {"running": {"startedAt": timestamp()}}

    def end(self, code: int) -> None:
        """Record that the container's process ended with that exit code."""
        started = self.state.get("running", {}).get("startedAt", timestamp())
        reason = "Completed" if code == 0 else "Error"
        self.state = {
            "terminated": {"exitCode": code, "reason": reason, "startedAt": started, "finishedAt": timestamp()}
        }
        self.started = self.ready = False


class Container:
    """Runs one container of a pod until it is stopped. on_change: called after every change of its status."""

    def __init__(self, context: PodContext, spec: Object, on_change: Callable[[], None]) -> None:
        self.status = ContainerStatus(spec)
        self._context = context
        self._spec = spec
        self._on_change = on_change
        self._process: asyncio.subprocess.Process | None = None

    async def run(self) -> None:
        """Start the container, and restart it according to the pod's restart policy."""
        restarts = Backoff()
        while True:
            started = asyncio.get_running_loop().time()
            code = await self._run_once()
            self.status.end(code)
            self._on_change()
            if not self._context.restarts(code):
                return
            if asyncio.get_running_loop().time() - started > self._context.host.seconds(BACKOFF_RESET_SECONDS):
                restarts.reset()
            await self._back_off(restarts)
            self.status.restarts += 1

    async def stop(self, grace: float) -> None:
        """Stop the process within the grace period (seconds)."""
        if self._process is not None:
            self.status.end(await processes.stop(self._process, grace))
            self._on_change()

    async def _back_off(self, restarts: Backoff) -> None:
        """Wait before a restart. The first restart has no delay; the delay of later ones grows."""
        self.status.last_state = self.status.state
        if self.status.restarts == 0:
            return
        delay = restarts.next()
        name, pod = self._spec["name"], self._context.full_name
        self.status.wait("CrashLoopBackOff", f"back-off {delay:g}s restarting failed container={name} pod={pod}")
        self._context.record_event("BackOff", f"Back-off restarting failed container {name} in pod {pod}", warning=True)
        self._on_change()
        await asyncio.sleep(self._context.host.seconds(delay))

    async def _run_once(self) -> int:
        """Run the container's process and return its exit code. A failed startup or liveness probe stops it."""
        image = await self._pull()
        variables = await self._configure(image)
        try:
            self._process = await processes.start(self._context.host, self._context.pod, self._spec, image, variables)
        except OSError as error:
            self._context.record_event("Failed", f"Error: failed to start container: {error}", warning=True)
            return 128
        self.status.run()
        self._context.record_event("Started", f"Container started: {self._spec['name']}")
        self._on_change()
        return await self._probe_until_end(self._process)

    async def _pull(self) -> Image:
        pulls = Backoff()
        while True:
            try:
                image = await self._context.puller.pull(self._spec["image"])
            except PullError as error:
                await self._wait_for_pull(str(error), pulls.next())
            else:
                self.status.image_id = image.reference
                return image

    async def _wait_for_pull(self, problem: str, delay: float) -> None:
        self._context.record_event("Failed", f"Failed to pull image: {problem}", warning=True)
        seconds = self._context.host.seconds(delay)
        self.status.wait("ErrImagePull", problem)
        self._on_change()
        await asyncio.sleep(seconds * 0.2)
        self.status.wait("ImagePullBackOff", f'Back-off pulling image "{self._spec["image"]}": {problem}')
        self._context.record_event("BackOff", f'Back-off pulling image "{self._spec["image"]}"', warning=True)
        self._on_change()
        await asyncio.sleep(seconds * 0.8)

    async def _configure(self, image: Image) -> dict[str, str]:
        while True:
            try:
                return self._context.variables(self._spec, image)
            except ConfigError as error:
                self.status.wait("CreateContainerConfigError", str(error))
                self._context.record_event("Failed", f"Error: {error}", warning=True)
                self._on_change()
                await asyncio.sleep(self._context.host.seconds(CONFIG_RETRY_SECONDS))

    async def _probe_until_end(self, process: asyncio.subprocess.Process) -> int:
        failed = asyncio.Event()
        probing = asyncio.create_task(self._probe(failed))
        ending = asyncio.create_task(process.wait())
        failing = asyncio.create_task(failed.wait())
        try:
            await asyncio.wait({ending, failing}, return_when=asyncio.FIRST_COMPLETED)
            return await processes.stop(process, self._context.grace)
        finally:
            for task in (probing, ending, failing):
                task.cancel()

    async def _probe(self, failed: asyncio.Event) -> None:
        """Run the probes. `failed` is set if one of them requires a restart."""
        if "startupProbe" in self._spec:
            await self._wait_for_startup(self._spec["startupProbe"], failed)
        self.status.started = True
        self.status.ready = "readinessProbe" not in self._spec
        self._on_change()
        watching = []
        if "readinessProbe" in self._spec:
            watching.append(watch(self._read("readinessProbe"), self._report_readiness))
        if "livenessProbe" in self._spec:
            watching.append(watch(self._read("livenessProbe"), self._reporter("Liveness", failed)))
        await asyncio.gather(*watching)

    async def _wait_for_startup(self, spec: Object, failed: asyncio.Event) -> None:
        started = asyncio.Event()
        report_failure = self._reporter("Startup", failed)

        def report(succeeded: bool, problem: str) -> None:
            started.set() if succeeded else report_failure(succeeded, problem)

        probe = Probe.read(spec, self._spec, self._context.address, self._context.host.settings.time_factor)
        watching = asyncio.create_task(watch(probe, report))
        try:
            await started.wait()
        finally:
            watching.cancel()

    def _report_readiness(self, succeeded: bool, problem: str) -> None:
        self.status.ready = succeeded
        if not succeeded:
            self._context.record_event("Unhealthy", f"Readiness probe failed: {problem}", warning=True)
        self._on_change()

    def _reporter(self, probe: str, failed: asyncio.Event) -> Callable[[bool, str], None]:
        def report(succeeded: bool, problem: str) -> None:
            if not succeeded:
                self._context.record_event("Unhealthy", f"{probe} probe failed: {problem}", warning=True)
                message = f"Container {self._spec['name']} failed {probe.lower()} probe, will be restarted"
                self._context.record_event("Killing", message)
                failed.set()

        return report

    def _read(self, probe: str) -> Probe:
        factor = self._context.host.settings.time_factor
        return Probe.read(self._spec[probe], self._spec, self._context.address, factor)
