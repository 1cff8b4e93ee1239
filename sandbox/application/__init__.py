"""The application that runs in a pod, with the health, metrics and analytics API of the guide."""
