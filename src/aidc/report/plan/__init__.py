"""The report of a plan: what the storage should do, and what that saves."""
