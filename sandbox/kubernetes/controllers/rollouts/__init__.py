"""Argo Rollouts' controller for canaries behind an AWS load balancer, after the behaviour of argo-rollouts 1.9.1.

Left out: blue-green, experiments, analysis within steps, restarts, ping-pong, dynamicStableScale. Without traffic
routing the stable ReplicaSet keeps all its replicas until promotion, where the original shares them out within maxSurge
and maxUnavailable.
"""
