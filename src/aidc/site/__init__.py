"""What is built: loading, resolving and checking site files."""

from aidc.site.load import load, site_of, with_scenario
from aidc.site.written import site_toml

__all__ = ["load", "site_of", "site_toml", "with_scenario"]
