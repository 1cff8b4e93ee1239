"""Runs the traffic of the users: `python -m sandbox.traffic --state DIR`."""

import asyncio
import signal
from pathlib import Path

from sandbox.processes import announce_ready, die_with_parent, state_argument
from sandbox.traffic.generator import Generator


async def main(state: Path) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    generator = Generator(state)
    announce_ready()
    await generator.run(stop)


if __name__ == "__main__":
    die_with_parent()
    asyncio.run(main(state_argument(__doc__)))
