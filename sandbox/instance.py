"""A sandbox with its state folder and its processes: `with Sandbox(parts=("kafka",)) as sandbox: ...`."""

import tempfile
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from sandbox.addresses import choose_addresses, claim_pod_network
from sandbox.certificates import write_certificates
from sandbox.environment import parts_environment, write_environment
from sandbox.parts import NAMES, choose_parts
from sandbox.settings import SandboxSettings
from sandbox.supervisor import Supervisor


class Sandbox:
    """A sandbox that runs inside the `with` block.

    state: a folder that is empty or does not exist. The default is a new folder in `.sandbox/`.
    parts: the names of the parts to start. The default is all of them.
    report: called with the name of each part that is ready.
    Public attributes: `state`, `addresses`, `settings`, `supervisor`.
    """

    def __init__(
        self,
        state: Path | None = None,
        *,
        parts: Iterable[str] = NAMES,
        settings: SandboxSettings | None = None,
        report: Callable[[str], object] = str,
    ) -> None:
        self.settings = settings or SandboxSettings()
        self._wanted = tuple(parts)
        self._report = report
        self.state = prepare_folder(state) if state else new_folder()
        pod_network, self._claim = claim_pod_network()
        self.addresses = choose_addresses(pod_network)
        self._write()
        self.supervisor = Supervisor(self.state, parts_environment())

    def __enter__(self) -> Self:
        try:
            self.require(*self._wanted)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def require(self, *names: str) -> None:
        """Start the named parts that do not run yet, and wait until they are ready."""
        self.supervisor.start(choose_parts(names), self._report)

    def stop(self) -> None:
        """Stop all processes of the sandbox. The state folder with the logs stays."""
        self.supervisor.stop()
        self._claim.close()

    def _write(self) -> None:
        self.addresses.write(self.state)
        self.settings.write(self.state)
        write_certificates(self.state)
        write_environment(self.state, self.addresses, self.settings)


def prepare_folder(state: Path) -> Path:
    """Create the folder and its `logs`. SystemExit if it is not empty, for example because of another sandbox."""
    state = state.resolve()
    if state.exists() and any(state.iterdir()):
        raise SystemExit(f"{state} is not empty. Nothing was started. Name a new folder.")
    (state / "logs").mkdir(parents=True)
    return state


def new_folder() -> Path:
    parent = Path.cwd() / ".sandbox"
    parent.mkdir(exist_ok=True)
    return prepare_folder(Path(tempfile.mkdtemp(prefix=f"{datetime.now():%Y%m%d-%H%M%S}-", dir=parent)))
