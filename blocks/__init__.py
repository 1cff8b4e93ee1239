"""The configuration by the operator: settings, and blocks in Prefect."""
