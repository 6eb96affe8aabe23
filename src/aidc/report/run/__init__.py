"""The report of a run: its sections, and its tables in the terminal."""
