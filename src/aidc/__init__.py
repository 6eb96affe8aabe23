"""aidc: from the grid meter to the token."""
