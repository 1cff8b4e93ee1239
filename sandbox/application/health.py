"""Health checks with the responses of Spring Boot's health endpoint."""

import threading
from collections.abc import Callable, Mapping

SECONDS_BETWEEN_CHECKS = 2.0

Probe = Callable[[], object]
Document = dict[str, object]


class Health:
    """Probes the components in its own thread, so that a request for the health returns immediately.

    The application is ready after all components were reached once, until `stop_accepting`. Liveness does not depend
    on the components. Otherwise, an outage of the database would restart all pods.
    """

    def __init__(self, probes: Mapping[str, Probe]) -> None:
        self._probes = probes
        self._status = dict.fromkeys(probes, "UNKNOWN")
        self._ready = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="health", daemon=True)

    def start(self, once_ready: Callable[[], None]) -> None:
        """Start to probe. `once_ready` is called before the application becomes ready, and retried if it fails."""
        self._once_ready = once_ready
        self._thread.start()

    def stop_accepting(self) -> None:
        self._stopping.set()

    def overall(self) -> tuple[int, Document]:
        components: Document = {name: {"status": status} for name, status in self._status.items()}
        up = all(status == "UP" for status in self._status.values())
        return answer(up, "DOWN", {"components": components, "groups": ["liveness", "readiness"]})

    def component(self, name: str) -> tuple[int, Document] | None:
        """None if the component does not exist."""
        return answer(self._status[name] == "UP", "DOWN", {}) if name in self._status else None

    def liveness(self) -> tuple[int, Document]:
        return answer(True, "DOWN", {})

    def readiness(self) -> tuple[int, Document]:
        return answer(self._ready and not self._stopping.is_set(), "OUT_OF_SERVICE", {})

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._status = {name: status_of(name, probe) for name, probe in self._probes.items()}
            if not self._ready and all(status == "UP" for status in self._status.values()):
                self._ready = status_of("start", self._once_ready) == "UP"
            self._stopping.wait(SECONDS_BETWEEN_CHECKS if self._ready else SECONDS_BETWEEN_CHECKS / 10)


def status_of(name: str, probe: Probe) -> str:
    try:
        probe()
    except Exception as error:
        # Each client has its own errors. For the health endpoint, they are all the same.
        print(f"{name} is down: {type(error).__name__}: {error}", flush=True)
        return "DOWN"
    return "UP"


def answer(up: bool, otherwise: str, details: Document) -> tuple[int, Document]:
    return (200 if up else 503), {"status": "UP" if up else otherwise, **details}
