"""One window of a site in milliseconds: asked for, stepped, solved or not, and named beside its verdicts."""
