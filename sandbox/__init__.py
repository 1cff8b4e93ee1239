"""A cloud on loopback for rehearsals and tests. It behaves as the real parts do and knows nothing of Slipway."""
