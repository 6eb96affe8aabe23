"""The door: `aidc …`. Commands import what they need when they run, so `--help` answers at once."""

from aidc.cli.app import main

__all__ = ["main"]
