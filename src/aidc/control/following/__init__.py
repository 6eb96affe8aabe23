"""The parts of a controller that follows what the grid asks for: baseline, meter, tiers, storage, recovery."""
