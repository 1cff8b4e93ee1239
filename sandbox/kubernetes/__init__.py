"""A Kubernetes API server with the controllers, kubelet and load balancer controller that a release uses."""
