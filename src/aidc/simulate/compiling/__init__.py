"""From a site and its scenario to the arrays of the engines, and the names to read them by."""
