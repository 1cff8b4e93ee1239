"""Settings of hypothesis for the tests of `delivery/`."""

from hypothesis import settings

# No deadline for an example: the duration of a test varies on a shared machine.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
