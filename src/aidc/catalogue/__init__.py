"""Equipment, models, tariffs: shipped as TOML with a source and a confidence mark for each figure.

An entry is `catalogue/<kind>/<name>.toml`. Folders given by the user are searched first, so a site
can bring its own equipment or shadow a shipped one. A figure is written

    tdp_w = { value = 700, source = "nvidia-h100-datasheet", confidence = "published" }

and `[sources.nvidia-h100-datasheet]` gives `title` and `url` or `doi`. Plain strings and booleans
(labels, choices) need no source; every number and every list of numbers does.
"""

from aidc.catalogue.entry import CONFIDENCE, Entry, Figure, Source, address_of
from aidc.catalogue.shelf import kinds, names, read, shipped

__all__ = ["CONFIDENCE", "Entry", "Figure", "Source", "address_of", "kinds", "names", "read", "shipped"]
