"""The transient engine: RMS phasors in milliseconds, with the load, its converters and the grid solved together."""
