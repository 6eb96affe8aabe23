"""The cheapest schedule of a site's storage, and what it saves once it is followed in the twin."""
