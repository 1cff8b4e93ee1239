"""Analytics events: which are accepted, and which topic each kind goes to."""

from typing import Any

STREAMS = {
    "user.behavior": ("page_view", "click", "scroll", "search", "user_action"),
    "performance.metrics": ("performance_metric", "web_vital", "page_load", "api_call"),
    "business.analytics": ("business_event", "add_to_cart", "purchase", "conversion"),
}
STREAM_OF = {event_type: stream for stream, event_types in STREAMS.items() for event_type in event_types}
FIELDS = {"eventId": str, "eventType": str, "sessionId": str, "traceId": str, "timestamp": int, "data": dict}


def flaw(body: object) -> str | None:
    """What is wrong with a request's list of events; None when nothing is."""
    if not isinstance(body, list) or not body:
        return "a list of at least one event is wanted"
    return next((found for event in body if (found := event_flaw(event))), None)


def event_flaw(event: Any) -> str | None:
    if not isinstance(event, dict):
        return "an event is an object"
    for name, kind in FIELDS.items():
        if not isinstance(event.get(name), kind):
            return f"{name} is missing or no {kind.__name__}"
    if event["eventType"] not in STREAM_OF:
        return f"eventType {event['eventType']} is unknown"
    return None
