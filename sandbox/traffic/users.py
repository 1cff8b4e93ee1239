"""The requests of users: products of the shop, and analytics events of their browsers."""

import json
import random
import secrets
import time
from dataclasses import dataclass, field

SITE, API = "genai-demo.com", "api.genai-demo.com"
TRACED_FRACTION = 0.05
EVENT_TYPES = {"page_view": 60, "click": 20, "web_vital": 10, "add_to_cart": 7, "purchase": 3}


@dataclass(frozen=True)
class UserRequest:
    method: str
    host: str
    path: str
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)


class Users:
    """Generates random requests. Two thirds get products, one third sends events."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def seconds_to_next(self, per_second: float) -> float:
        """Exponentially distributed, so that arrivals are a Poisson process, as for independent users."""
        return self._chance.expovariate(per_second)

    def next_request(self) -> UserRequest:
        host = SITE if self._chance.random() < 0.7 else API
        if self._chance.random() < 2 / 3:
            return UserRequest("GET", host, "/api/products", headers=self._trace())
        events = [self._event() for _ in range(self._chance.randint(1, 3))]
        headers = {"Content-Type": "application/json", **self._trace()}
        return UserRequest("POST", host, "/api/analytics/events", json.dumps(events).encode(), headers)

    def _event(self) -> dict[str, object]:
        event_type = self._chance.choices(list(EVENT_TYPES), list(EVENT_TYPES.values()))[0]
        return {
            "eventId": secrets.token_hex(12),
            "eventType": event_type,
            "sessionId": f"session-{self._chance.randrange(500)}",
            "traceId": f"user-{secrets.token_hex(8)}",
            "timestamp": time.time_ns() // 1_000_000,
            "data": {"page": self._chance.choice(("/", "/products", "/cart"))},
        }

    def _trace(self) -> dict[str, str]:
        if self._chance.random() >= TRACED_FRACTION:
            return {}
        return {"X-Amzn-Trace-Id": f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)};Sampled=1"}
