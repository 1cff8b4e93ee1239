"""The controllers: each brings what there is to what is wanted, one object at a time, some time after a change."""
