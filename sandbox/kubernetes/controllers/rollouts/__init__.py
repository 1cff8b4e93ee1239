"""Argo Rollouts' controller for canaries behind an AWS load balancer, with the behaviour of argo-rollouts 1.9.1.

Not implemented: blue-green, experiments, analysis within steps, restarts, ping-pong, dynamicStableScale. Without
traffic routing the stable ReplicaSet keeps all its replicas until promotion. Argo's controller distributes them within
maxSurge and maxUnavailable.
"""
