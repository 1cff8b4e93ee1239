"""`python -m sandbox.kubernetes --state DIR`: the API server with its controllers and the kubelet, until SIGTERM."""

import argparse
import asyncio
import logging
import signal
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette

from sandbox.addresses import Addresses
from sandbox.kubernetes.cluster import Cluster
from sandbox.processes import die_with_parent
from sandbox.settings import SandboxSettings


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.kubernetes", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="state folder of the sandbox")
    state = parser.parse_args().state.resolve()
    die_with_parent()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    # uvicorn ends on a signal and then raises it once more; without these the pods would not be ended in order.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    asyncio.run(serve(state))


async def serve(state: Path) -> None:
    """Serve until a signal, or until a controller breaks; then end every pod's process."""
    addresses = Addresses.read(state)
    cluster = Cluster.create(state, addresses, SandboxSettings.read(state))
    server = uvicorn.Server(configure(cluster.application, state, addresses.kubernetes))
    controllers = cluster.start()
    for controller in controllers:
        controller.add_done_callback(lambda _: setattr(server, "should_exit", True))
    ready = asyncio.create_task(say_ready(server))
    await server.serve()
    for task in (ready, *controllers):
        task.cancel()
    await cluster.stop()
    await raise_broken(controllers)


async def raise_broken(controllers: list[asyncio.Task[None]]) -> None:
    """The error of a controller that ended by itself, so that the part ends with it and says so."""
    for ending in await asyncio.gather(*controllers, return_exceptions=True):
        if isinstance(ending, Exception):
            raise ending


async def say_ready(server: uvicorn.Server) -> None:
    while not server.started:
        await asyncio.sleep(0.01)
    print("ready", flush=True)


def configure(application: Starlette, state: Path, address: str) -> uvicorn.Config:
    url = urlsplit(address)
    return uvicorn.Config(
        application,
        host=url.hostname or "127.0.0.1",
        port=url.port or 443,
        ssl_certfile=state / "ca" / "server.pem",
        ssl_keyfile=state / "ca" / "server.key",
        log_level="warning",
        access_log=False,
        lifespan="off",
        # Watches stay open for ever; they are cut when the server ends.
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
