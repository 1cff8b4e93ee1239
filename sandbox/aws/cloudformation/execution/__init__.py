"""Executes change sets, rolls stacks back and deletes them."""
