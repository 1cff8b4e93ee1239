"""The guide carried out by whole releases on a sandbox, and broken on purpose: each test says what then is so."""
