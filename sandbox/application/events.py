"""Analytics events: their validation, and the topic stream of each event type."""

from typing import Any

STREAMS = {
    "user.behavior": ("page_view", "click", "scroll", "search", "user_action"),
    "performance.metrics": ("performance_metric", "web_vital", "page_load", "api_call"),
    "business.analytics": ("business_event", "add_to_cart", "purchase", "conversion"),
}
STREAM_OF = {event_type: stream for stream, event_types in STREAMS.items() for event_type in event_types}
FIELDS = {"eventId": str, "eventType": str, "sessionId": str, "traceId": str, "timestamp": int, "data": dict}


def events_error(body: object) -> str | None:
    """The error in the list of events of a request, or None."""
    if not isinstance(body, list) or not body:
        return "the body must be a list with at least one event"
    return next((found for event in body if (found := event_error(event))), None)


def event_error(event: Any) -> str | None:
    if not isinstance(event, dict):
        return "an event must be an object"
    for name, kind in FIELDS.items():
        if not isinstance(event.get(name), kind):
            return f"{name} is missing or not of type {kind.__name__}"
    if event["eventType"] not in STREAM_OF:
        return f"eventType {event['eventType']} is unknown"
    return None
