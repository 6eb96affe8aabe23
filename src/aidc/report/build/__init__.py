"""The report of a build: when power comes, what holds it up, and what it is worth."""
