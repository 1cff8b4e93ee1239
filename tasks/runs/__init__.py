"""What runs in Prefect need: retries, waiting, log lines and artifacts."""
