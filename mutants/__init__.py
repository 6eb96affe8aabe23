"""Mutation tests: does a test notice when one place of the source is changed? See `__main__`."""
