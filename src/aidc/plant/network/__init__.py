"""The grid as a site sees it: a source behind an impedance, faults, windings, and the load's voltage."""
