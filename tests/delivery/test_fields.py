"""Durations in messages have the notation of the settings."""

from datetime import timedelta

import pytest

from delivery.fields import format_duration, parse_duration


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (timedelta(minutes=2), "2m"),
        (timedelta(minutes=90), "1h30m"),
        (timedelta(seconds=45), "45s"),
        (timedelta(days=90), "90d"),
        (timedelta(days=1, minutes=5), "1d5m"),
        (timedelta(milliseconds=500), "500ms"),
        (timedelta(seconds=2, milliseconds=500), "2s500ms"),
    ],
)
def test_a_duration_is_written_in_its_largest_units(value: timedelta, text: str) -> None:
    assert format_duration(value) == text


def test_a_duration_is_rounded_to_milliseconds() -> None:
    assert format_duration(timedelta(seconds=59, microseconds=999_600)) == "1m"


@pytest.mark.parametrize("value", [timedelta(), timedelta(microseconds=400)])
def test_a_duration_below_a_millisecond_is_zero_seconds(value: timedelta) -> None:
    assert format_duration(value) == "0s"


@pytest.mark.parametrize("text", ["90d", "1h", "10m", "5s", "500ms"])
def test_a_duration_of_the_settings_is_written_as_it_is_read(text: str) -> None:
    assert format_duration(parse_duration(text)) == text
