"""What tests of the pure rooms share."""

from hypothesis import settings

# Examples are not timed: machines are shared and noisy.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
