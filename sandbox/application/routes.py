"""What the application answers: a table from method and path to a function, and the functions."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import valkey

from sandbox.application import actuator
from sandbox.application.events import flaw
from sandbox.application.health import Health
from sandbox.application.meters import Meters
from sandbox.application.publisher import NotPublished, Publisher

PRODUCTS = (
    {"id": "p-100", "name": "Notebook", "price": "1299.00"},
    {"id": "p-200", "name": "Headphones", "price": "199.00"},
    {"id": "p-300", "name": "Keyboard", "price": "89.00"},
)


@dataclass(frozen=True)
class Answer:
    status: int
    body: object
    content_type: str = "application/json"

    def encoded(self) -> bytes:
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Call:
    """A request as a function sees it; `rest` is what follows the route's prefix."""

    rest: str = ""
    query: Mapping[str, list[str]] = field(default_factory=dict)
    body: bytes = b""


Handler = Callable[[Call], Answer]


class Application:
    """The functions behind the routes, and what they need."""

    def __init__(self, meters: Meters, health: Health, publisher: Publisher, cache: valkey.Valkey) -> None:
        self._meters, self._health, self._publisher, self._cache = meters, health, publisher, cache
        self._routes: dict[tuple[str, str], Handler] = {
            ("GET", "/actuator/health"): lambda _: Answer(*health.overall()),
            ("GET", "/actuator/health/liveness"): lambda _: Answer(*health.liveness()),
            ("GET", "/actuator/health/readiness"): lambda _: Answer(*health.readiness()),
            ("GET", "/actuator/health/{component}"): self.component,
            ("GET", "/actuator/metrics"): lambda _: Answer(200, actuator.metric_names(meters)),
            ("GET", "/actuator/metrics/{name}"): self.metric,
            ("GET", "/actuator/prometheus"): lambda _: Answer(200, actuator.prometheus(meters), "text/plain"),
            ("GET", "/api/products"): self.products,
            ("POST", "/api/analytics/events"): self.take_events,
        }

    def find(self, method: str, target: str) -> tuple[str, Handler, Call]:
        """The route's path, its function and the call so far; an unknown path is answered 404, a wrong method 405."""
        url = urlsplit(target)
        parent, _, last = url.path.rpartition("/")
        candidates = (url.path, f"{parent}/{{component}}", f"{parent}/{{name}}")
        for path in candidates:
            if handler := self._routes.get((method, path)):
                return path, handler, Call(last, parse_qs(url.query))
        known = any(path in candidates for _, path in self._routes)
        return "/**", not_allowed if known else not_found, Call()

    def component(self, call: Call) -> Answer:
        found = self._health.component(call.rest)
        return Answer(*found) if found else not_found(call)

    def metric(self, call: Call) -> Answer:
        found = actuator.metric(self._meters, call.rest, call.query.get("tag", []))
        return Answer(200, found) if found else not_found(call)

    def products(self, _call: Call) -> Answer:
        """The shop's products and how many page views were counted so far."""
        views = self._cache.get("events:page_view") or 0
        return Answer(200, {"products": PRODUCTS, "pageViews": int(str(views))})

    def take_events(self, call: Call) -> Answer:
        """Publish a list of events; answered when the brokers have them."""
        try:
            events = json.loads(call.body)
        except ValueError:
            return problem(400, "the body is no JSON")
        if found := flaw(events):
            return problem(400, found)
        self._meters.count("observability.events.received", len(events))
        return self._publish(events)

    def _publish(self, events: list[dict[str, object]]) -> Answer:
        try:
            self._publisher.publish(events)
        except NotPublished as error:
            self._meters.count("observability.events.failed", len(events))
            return problem(503, f"not published: {error}")
        self._meters.count("observability.events.published", len(events))
        return Answer(200, {"accepted": len(events)})


def problem(status: int, detail: str) -> Answer:
    return Answer(status, {"status": status, "detail": detail}, "application/problem+json")


def not_found(_call: Call) -> Answer:
    return problem(404, "no such path")


def not_allowed(_call: Call) -> Answer:
    return problem(405, "another method is wanted")
