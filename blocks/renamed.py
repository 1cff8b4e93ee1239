"""Settings that had another name in an earlier version. They are refused, and the message gives the present name."""

# Old key -> present key.
RENAMED = {
    "hold": "lock",
    "plan.when_moved": "plan.on_change",
    "recovery.when_died": "recovery.on_orphaned",
    "canary.split_alpha": "canary.sample_ratio_alpha",
    "canary.harmless_ratio": "canary.non_inferiority_ratio",
    "canary.smallest_harm": "canary.minimum_detectable_effect",
    "canary.chance_to_find": "canary.power",
    "canary.when_unsure": "canary.on_inconclusive",
    "canary.answer_deadline": "canary.approval_timeout",
}


def describe_unknown(source: str, key: str) -> str:
    """A sentence about an unknown key. source: the variable, or file and key. key: such as `canary.when_unsure`."""
    old = next((old for old in RENAMED if f"{key}.".startswith(f"{old}.")), None)
    return f"{source} is not a setting." if old is None else f"{source} is now named {RENAMED[old]}{key[len(old) :]}."
