from delivery.journal.earlier import rename_record


def test_the_approval_of_an_earlier_version_has_the_present_key() -> None:
    earlier = {"step": "Canary/20 %", "detail": {"revision": "7c9f", "step": 1, "consent": "20 %  pass"}}
    assert rename_record(earlier)["detail"] == {"revision": "7c9f", "step": 1, "approval": "20 %  pass"}


def test_a_record_of_the_present_version_does_not_change() -> None:
    record = {"step": "Canary/20 %", "detail": {"revision": "7c9f", "step": 1, "approval": "20 %  pass"}}
    assert rename_record(record) == record
