"""The Prefect API: its runs, deployments, automations and logs."""
