"""The report of a check: what an interconnection engineer sends to the grid operator."""
