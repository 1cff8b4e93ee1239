"""The controllers. Each reconciles actual state with desired state, one object at a time, shortly after a change."""
