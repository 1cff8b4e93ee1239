"""A cloud on loopback for tests and demos. It behaves like the real systems and does not depend on Slipway."""
