"""What `make demo`, `make open` and `make sandbox` show: it knows the product and the sandbox, and neither knows it."""
