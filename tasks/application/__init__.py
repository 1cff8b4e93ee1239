"""The objects in the cluster, their connection settings, and the add-ons that they need."""
