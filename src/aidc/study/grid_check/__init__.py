"""A site or a recording against a rule set: a verdict for every clause, or the reason why there is none."""
