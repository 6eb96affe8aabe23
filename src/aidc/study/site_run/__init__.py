"""A site through its scenario: stepped, written into a run folder, and told in words."""
