"""Fast laws that live in devices: the same function in the twin and on a real controller."""
