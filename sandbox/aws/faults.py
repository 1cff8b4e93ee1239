"""Faults by name: which requests and which resources go wrong, how, how often, and who was hit."""

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
    """One fault.

    match: glob over `service:Operation`, such as `cloudformation:*`; for every kind but "resource".
    resource: glob over a logical id or a resource type; stack: over the stack's name; verb: over CREATE, UPDATE and
    DELETE; reason: what the event tells. skip: how many it spares first. times: how often it strikes, None for always;
    each: how often per operation. probability: 0.0 to 1.0, by chance from seed on. seconds: how slow.
    caller: glob over access keys.
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
        """A fault from JSON; ValueError on anything else. With `resource` in it, the kind may be left out."""
        if not isinstance(given, dict):
            raise ValueError(f"a fault is an object, not {given!r}")
        given = {"kind": "resource", **given} if "resource" in given else dict(given)
        known = {field.name for field in fields(cls)}
        if set(given) - known or given.get("kind") not in KINDS:
            raise ValueError(f"a fault has a kind of {', '.join(KINDS)} and of {', '.join(sorted(known))}: got {given}")
        return cls(**given)


class Faults:
    """The faults in force, and the hits so far. Chance is each fault's own, so that a run can be repeated."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._hits: list[dict[str, str]] = []
        self._chances: dict[int, random.Random] = {}
        self._struck: Counter[tuple[int, str]] = Counter()

    def add(self, faults: list[Fault]) -> None:
        with self._lock:
            self._faults.extend(faults)
            self._chances |= {id(fault): random.Random(fault.seed) for fault in faults}

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()
            self._hits.clear()
            self._chances.clear()
            self._struck.clear()

    def report(self) -> dict[str, Any]:
        with self._lock:
            return {"faults": [asdict(fault) for fault in self._faults], "hits": list(self._hits)}

    def strike(self, operation: str, caller: str) -> Fault | None:
        """The fault that hits this request, if one does; it is counted."""
        with self._lock:
            for fault in self._faults:
                is_meant = fnmatch.fnmatchcase(operation, fault.match) and fnmatch.fnmatchcase(caller, fault.caller)
                if fault.kind != "resource" and is_meant and self._hits_now(fault, operation):
                    return fault
        return None

    def resource_failure(self, stack: str, logical_id: str, resource_type: str, verb: str) -> str | None:
        """Why this resource is to fail now, or None. verb: CREATE, UPDATE or DELETE."""
        with self._lock:
            for fault in self._faults:
                is_named = any(fnmatch.fnmatchcase(name, fault.resource) for name in (logical_id, resource_type))
                is_here = fnmatch.fnmatchcase(stack, fault.stack) and fnmatch.fnmatchcase(verb, fault.verb)
                if fault.kind == "resource" and is_named and is_here and self._hits_now(fault, f"{stack}/{logical_id}"):
                    return fault.reason
        return None

    def _hits_now(self, fault: Fault, what: str) -> bool:
        is_spent = fault.times == 0 or (fault.each is not None and self._struck[id(fault), what] >= fault.each)
        if is_spent or self._chances[id(fault)].random() >= fault.probability:
            return False
        if fault.skip > 0:
            fault.skip -= 1
            return False
        self._struck[id(fault), what] += 1
        if fault.times is not None:
            fault.times -= 1
        self._hits = [*self._hits, {"kind": fault.kind, "at": what}][-KEPT_HITS:]
        return True
