"""What a site can promise the grid, as a page and in the terminal."""
