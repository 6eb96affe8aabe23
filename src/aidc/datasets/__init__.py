"""Named public data: where each comes from, its licence, its checksum, and where it lies here.

Nothing is bundled. `locate` looks in the folder that `AIDC_DATA` names, then in the user's cache;
`fetch` downloads from the publisher into the cache. Entries are `catalogue/dataset/<name>.toml`.
"""

from aidc.datasets.fetch import fetch
from aidc.datasets.place import cache_folder, data_folder, locate
from aidc.datasets.registry import DataFile, Dataset, find, names

__all__ = ["DataFile", "Dataset", "cache_folder", "data_folder", "fetch", "find", "locate", "names"]
