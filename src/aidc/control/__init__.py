"""Who decides: shipped controllers, and those that a user brings."""

from aidc.control.find import controller_of, options_of, refuse_code, shipped, shipped_options

__all__ = ["controller_of", "options_of", "refuse_code", "shipped", "shipped_options"]
