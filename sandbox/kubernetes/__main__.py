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
    # uvicorn stops on a signal and then raises it again. Without these handlers the pods would not be stopped in order.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    asyncio.run(serve(state))


async def serve(state: Path) -> None:
    """Serve until a signal, or until a controller fails. Then stop every pod's processes."""
    addresses = Addresses.read(state)
    cluster = Cluster.create(state, addresses, SandboxSettings.read(state))
    server = uvicorn.Server(configure(cluster.application, state, addresses.kubernetes))
    controllers = cluster.start()
    for controller in controllers:
        controller.add_done_callback(lambda _: setattr(server, "should_exit", True))
    ready = asyncio.create_task(print_ready(server))
    await server.serve()
    for task in (ready, *controllers):
        task.cancel()
    await cluster.stop()
    await raise_controller_error(controllers)


async def raise_controller_error(controllers: list[asyncio.Task[None]]) -> None:
    """Raise the error of a controller that failed, so that this process exits with it."""
    for result in await asyncio.gather(*controllers, return_exceptions=True):
        if isinstance(result, Exception):
            raise result


async def print_ready(server: uvicorn.Server) -> None:
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
        # Watches stay open without a limit. The server closes them when it stops.
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
