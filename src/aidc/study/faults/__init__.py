"""Disturbances of the grid: which are tried, how they are run, and what each says of the clauses that they touch."""
