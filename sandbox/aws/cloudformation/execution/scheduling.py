"""Works on a graph in the order of its dependencies, in parallel where they allow it."""

import graphlib
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

WORKERS = 8


def run_in_order(graph: Mapping[str, set[str]], work: Callable[[str], None], cancel: Callable[[], None]) -> list[str]:
    """Work on each name after its dependencies. Returns the names that failed.

    After the first failure, it starts no more work, calls `cancel`, and waits for the work in progress.
    """
    sorter = graphlib.TopologicalSorter(graph)
    sorter.prepare()
    failed: list[str] = []
    running: dict[Future[None], str] = {}
    with ThreadPoolExecutor(WORKERS) as pool:
        while sorter.is_active():
            if not failed:
                running |= {pool.submit(work, name): name for name in sorter.get_ready()}
            if not running:
                break
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                name = running.pop(future)
                if future.exception() is None:
                    sorter.done(name)
                else:
                    failed.append(name)
                    cancel()
    return failed


def reversed_graph(graph: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """For each name, the names that depend on it."""
    return {name: {other for other, needs in graph.items() if name in needs} for name in graph}
