"""The kubelet: one operating system process a container, with its image, files, environment and probes."""
