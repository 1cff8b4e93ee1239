"""The active faults: which requests and resources fail, how and how often, and the hits so far."""

import fnmatch
import random
import threading
from collections import Counter
from dataclasses import asdict, dataclass, fields
from typing import Any

KINDS = ("throttle", "deny", "down", "slow", "drop", "ignore", "resource")
SEED = 7
KEPT_HITS = 500


@dataclass
class Fault:
    """One fault. The fields stack, resource, verb and reason are for kind "resource", match and caller for the others.

    match: glob for `service:Operation`, such as `cloudformation:*`. caller: glob for the access key.
    resource: glob for the logical ID or the resource type. stack: glob for the stack name. verb: glob for CREATE,
    UPDATE or DELETE. reason: the status reason of the event.
    skip: matches that are not hit at first. times: number of hits, None without a limit. each: the same per operation
    or resource. probability: 0.0 to 1.0, with random numbers from `seed`. seconds: the delay of kind "slow".
    """

    kind: str
    match: str = "*"
    resource: str = "*"
    stack: str = "*"
    verb: str = "*"
    reason: str = "Resource failed by the fault injector"
    skip: int = 0
    times: int | None = None
    each: int | None = None
    probability: float = 1.0
    seed: int = SEED
    seconds: float = 1.0
    caller: str = "*"

    @classmethod
    def read(cls, given: Any) -> "Fault":
        """A fault from JSON. ValueError if it is not valid. With `resource`, `kind` is optional."""
        if not isinstance(given, dict):
            raise ValueError(f"A fault must be an object, not {given!r}.")
        given = {"kind": "resource", **given} if "resource" in given else dict(given)
        known = {field.name for field in fields(cls)}
        if set(given) - known or given.get("kind") not in KINDS:
            kinds, names = ", ".join(KINDS), ", ".join(sorted(known))
            raise ValueError(f"The fault {given} is not valid. The kinds are {kinds}. The fields are {names}.")
        return cls(**given)


class Faults:
    """The active faults and the hits so far. Each fault has its own random numbers, so that a run is repeatable."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._hits: list[dict[str, str]] = []
        self._generators: dict[int, random.Random] = {}
        self._hit_counts: Counter[tuple[int, str]] = Counter()

    def add(self, faults: list[Fault]) -> None:
        with self._lock:
            self._faults.extend(faults)
            self._generators |= {id(fault): random.Random(fault.seed) for fault in faults}

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()
            self._hits.clear()
            self._generators.clear()
            self._hit_counts.clear()

    def report(self) -> dict[str, Any]:
        with self._lock:
            return {"faults": [asdict(fault) for fault in self._faults], "hits": list(self._hits)}

    def next_for(self, operation: str, caller: str) -> Fault | None:
        """The first fault that hits this request, or None. The hit is counted."""
        with self._lock:
            for fault in self._faults:
                is_match = fnmatch.fnmatchcase(operation, fault.match) and fnmatch.fnmatchcase(caller, fault.caller)
                if fault.kind != "resource" and is_match and self._hits_now(fault, operation):
                    return fault
        return None

    def resource_failure(self, stack: str, logical_id: str, resource_type: str, verb: str) -> str | None:
        """The reason for which this resource must fail now, or None. verb: CREATE, UPDATE or DELETE."""
        with self._lock:
            for fault in self._faults:
                is_named = any(fnmatch.fnmatchcase(name, fault.resource) for name in (logical_id, resource_type))
                is_here = fnmatch.fnmatchcase(stack, fault.stack) and fnmatch.fnmatchcase(verb, fault.verb)
                if fault.kind == "resource" and is_named and is_here and self._hits_now(fault, f"{stack}/{logical_id}"):
                    return fault.reason
        return None

    def _hits_now(self, fault: Fault, what: str) -> bool:
        is_spent = fault.times == 0 or (fault.each is not None and self._hit_counts[id(fault), what] >= fault.each)
        if is_spent or self._generators[id(fault)].random() >= fault.probability:
            return False
        if fault.skip > 0:
            fault.skip -= 1
            return False
        self._hit_counts[id(fault), what] += 1
        if fault.times is not None:
            fault.times -= 1
        self._hits = [*self._hits, {"kind": fault.kind, "at": what}][-KEPT_HITS:]
        return True
