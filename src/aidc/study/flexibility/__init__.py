"""What a site can promise the grid: how many megawatts, how soon, for how long, at what cost."""
