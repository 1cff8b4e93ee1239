"""Argo Rollouts' controller for canaries behind an AWS load balancer.

Its order of work, its conditions and its moments of staleness are those of argo-rollouts 1.9.1 (rollout/controller.go,
canary.go, trafficrouting.go, sync.go). Left out: blue-green, experiments, analysis, ping-pong, dynamicStableScale.
"""
