"""What prefect.yaml cannot say: the work pool, its job variables, automations."""
