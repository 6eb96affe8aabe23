"""What is built: loading, resolving and checking site files."""

from aidc.site.load import load, site_of
from aidc.site.written import site_toml

__all__ = ["load", "site_of", "site_toml"]
