"""Studies of a site: each joins compile, step, measure and record, and gives one result."""
