"""What to build, and when: studies that look for a design or a schedule."""
