"""The objects of the application in the cluster, its connection settings, and the add-ons that it needs."""
