"""Side by side what may be side by side: work on a graph in the order of its dependencies."""

import graphlib
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

WORKERS = 8


def run_in_order(graph: Mapping[str, set[str]], work: Callable[[str], None], cancel: Callable[[], None]) -> list[str]:
    """Work on every name after the names it depends on; the names that failed.

    After the first failure nothing new is started, `cancel` is called, and what is under way is waited for.
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
    """Who must be gone before whom."""
    return {name: {other for other, needs in graph.items() if name in needs} for name in graph}
