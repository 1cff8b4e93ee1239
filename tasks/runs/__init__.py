"""Around Prefect: retries, waiting, log lines and artifacts of a run."""
