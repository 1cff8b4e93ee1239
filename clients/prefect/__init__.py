"""The Prefect API: runs, Prefect deployments and logs."""
