"""The kubelet: one operating system process per container, with its image, files, environment and probes."""
