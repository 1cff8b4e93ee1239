"""`make demo`, `make open` and `make sandbox`. Neither the sandbox nor the product imports it."""
