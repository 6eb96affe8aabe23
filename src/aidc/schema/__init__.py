"""Every TOML shape, as frozen pydantic models. Nothing here opens a file or computes physics."""
