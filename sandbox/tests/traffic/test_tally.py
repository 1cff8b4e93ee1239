import json
from pathlib import Path

from sandbox.traffic.tally import Tally


def test_responses_are_counted_by_pod_and_by_status(tmp_path: Path) -> None:
    tally = Tally()
    tally.sent = 4
    tally.count("pod-a", "200", 0.010)
    tally.count("pod-a", "200", 0.020)
    tally.count("pod-b", "500", 0.030)
    tally.write(tmp_path / "traffic.json")
    assert json.loads((tmp_path / "traffic.json").read_text()) == {
        "sent": 4,
        "finished": 3,
        "mean_milliseconds": 20.0,
        "by_status": {"200": 2, "500": 1},
        "by_pod": {"pod-a": {"200": 2}, "pod-b": {"500": 1}},
    }


def test_requests_without_a_pod_are_counted_as_none() -> None:
    tally = Tally()
    tally.count(None, "503", 0.01)
    tally.count(None, "ReadTimeout", 5.0)
    assert tally.totals()["by_pod"] == {"none": {"503": 1, "ReadTimeout": 1}}
