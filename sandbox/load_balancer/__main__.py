"""Runs the data plane of the load balancers: `python -m sandbox.load_balancer --state DIR`."""

import asyncio

from sandbox.load_balancer.data_plane import DataPlane
from sandbox.processes import die_with_parent, state_argument

if __name__ == "__main__":
    die_with_parent()
    asyncio.run(DataPlane(state_argument(__doc__)).run())
