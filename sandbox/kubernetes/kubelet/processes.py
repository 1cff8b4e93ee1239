"""The operating system process of a container."""

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from sandbox.addresses import Addresses
from sandbox.kubernetes.api.objects.kinds import Object, name_of
from sandbox.kubernetes.kubelet.images import Image
from sandbox.processes import die_with_parent
from sandbox.settings import SECRET_ACCESS_KEY, SandboxSettings

_INHERITED = ("LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONDONTWRITEBYTECODE")


@dataclass(frozen=True)
class Host:
    """The machine that pods run on: the state folder, and the addresses of the sandbox's parts."""

    state: Path
    addresses: Addresses
    settings: SandboxSettings

    def root(self, pod: Object) -> Path:
        """The folder that is the root of the pod's file system."""
        return self.state / "pods" / name_of(pod)

    def log(self, pod: Object) -> Path:
        return self.state / "logs" / "pods" / f"{name_of(pod)}.log"

    def seconds(self, seconds: float) -> float:
        """A duration of a manifest or of the kubelet, shortened by the sandbox's time factor."""
        return seconds / self.settings.time_factor

    def variables(self, pod: Object, address: str) -> dict[str, str]:
        """The variables of every process: the pod's name and address, and the addresses of AWS and of the CA file."""
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        return inherited | {
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))),
            "PYTHONUNBUFFERED": "1",
            "HOSTNAME": name_of(pod),
            "POD_IP": address,
            "POD_ROOT": str(self.root(pod)),
            "AWS_ENDPOINT_URL": self.addresses.aws,
            "AWS_DEFAULT_REGION": self.settings.region,
            "AWS_REGION": self.settings.region,
            "AWS_ACCESS_KEY_ID": "sandbox",
            "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
            "SSL_CERT_FILE": str(self.state / "ca" / "ca.pem"),
        }


async def start(
    host: Host, pod: Object, container: Object, image: Image, variables: dict[str, str]
) -> asyncio.subprocess.Process:
    """Start the container's command. The process writes to the pod's log, and ends when the kubelet ends."""
    command = [*(container.get("command") or image.command), *(container.get("args") or [])]
    if command[0] == "python":
        command[0] = sys.executable
    log = host.log(pod)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *command,
            env=variables,
            cwd=host.root(pod),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )


async def stop(process: asyncio.subprocess.Process, grace: float) -> int:
    """Send SIGTERM, and SIGKILL after the grace period (seconds). Returns the exit code of the container."""
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), grace)
        except TimeoutError:
            process.kill()
    return exit_code(await process.wait())


def exit_code(returned: int) -> int:
    """The exit code of a container: 128 plus the signal's number if a signal ended the process."""
    return 128 - returned if returned < 0 else returned
