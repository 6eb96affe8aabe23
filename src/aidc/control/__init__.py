"""Who decides: shipped controllers, and those that a user brings."""

from aidc.control.find import controller_of, options_of, shipped

__all__ = ["controller_of", "options_of", "shipped"]
