"""Programs that run unmodified, each as one part of the sandbox."""
