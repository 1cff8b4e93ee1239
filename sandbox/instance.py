"""One sandbox, from its state folder to its last process: `with Sandbox(parts=("kafka",)) as sandbox: ...`."""

import tempfile
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from sandbox.addresses import allot_addresses, claim_pod_network
from sandbox.certificates import write_certificates
from sandbox.environment import parts_environment, write_environment
from sandbox.parts import NAMES, choose_parts
from sandbox.settings import SandboxSettings
from sandbox.supervisor import Supervisor


class Sandbox:
    """A sandbox with the named parts (all unless told) that runs inside the `with` block.

    state: a folder that does not exist yet or is empty; unless told a new one under `.sandbox/`.
    Public: `state`, `addresses`, `settings`, `supervisor`.
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
        self.addresses = allot_addresses(pod_network)
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
        """Start those of the named parts that do not run yet, and wait until they serve."""
        self.supervisor.start(choose_parts(names), self._report)

    def stop(self) -> None:
        """End every process of the sandbox; the state folder with the logs stays."""
        self.supervisor.stop()
        self._claim.close()

    def _write(self) -> None:
        self.addresses.write(self.state)
        self.settings.write(self.state)
        write_certificates(self.state)
        write_environment(self.state, self.addresses, self.settings)


def prepare_folder(state: Path) -> Path:
    """The folder, made with its `logs`. SystemExit where it already holds something, such as another sandbox."""
    state = state.resolve()
    if state.exists() and any(state.iterdir()):
        raise SystemExit(f"{state} is not empty, nothing was started. Name a new folder")
    (state / "logs").mkdir(parents=True)
    return state


def new_folder() -> Path:
    parent = Path.cwd() / ".sandbox"
    parent.mkdir(exist_ok=True)
    return prepare_folder(Path(tempfile.mkdtemp(prefix=f"{datetime.now():%Y%m%d-%H%M%S}-", dir=parent)))
