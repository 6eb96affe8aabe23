"""The energy engine: what happens on a site in one step of seconds, from compute to the weather."""
