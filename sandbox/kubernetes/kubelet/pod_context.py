"""What all containers of a pod share: the pod as it was bound, its address, its host and the API."""

from dataclasses import dataclass

from sandbox.kubernetes.api.objects.kinds import Object, name_of, namespace_of
from sandbox.kubernetes.api.storage.registry import Registry
from sandbox.kubernetes.controllers import events
from sandbox.kubernetes.kubelet.environment import resolve_environment
from sandbox.kubernetes.kubelet.images import Image, Puller
from sandbox.kubernetes.kubelet.processes import Host

MANAGER = "kubelet"


@dataclass(frozen=True)
class PodContext:
    registry: Registry
    host: Host
    puller: Puller
    pod: Object
    address: str

    @property
    def full_name(self) -> str:
        return f"{name_of(self.pod)}_{namespace_of(self.pod)}"

    @property
    def grace(self) -> float:
        """Seconds between SIGTERM and SIGKILL."""
        return self.host.seconds(self.pod["spec"]["terminationGracePeriodSeconds"])

    def restarts(self, code: int) -> bool:
        """Whether a container that ended with that exit code is restarted."""
        policy = self.pod["spec"]["restartPolicy"]
        return policy == "Always" or (policy == "OnFailure" and code != 0)

    def variables(self, container: Object, image: Image) -> dict[str, str]:
        """The environment of a container's process. Raises ConfigError."""
        pod = {**self.pod, "status": {**self.pod.get("status", {}), "podIP": self.address, "hostIP": "127.0.0.1"}}
        declared = resolve_environment(self.registry, pod, container)
        return self.host.variables(self.pod, self.address) | image.environment | declared

    def record_event(self, reason: str, message: str, *, warning: bool = False) -> None:
        events.record(self.registry, MANAGER, self.pod, reason, message, warning=warning)
