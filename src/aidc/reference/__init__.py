"""What a user can look up: every key of every file, every figure, every column. Read from the schema, not written twice."""

from aidc.reference.forms import FILES, FileKind
from aidc.reference.keys import Key, Table
from aidc.reference.lookup import Found, find, tables

__all__ = ["FILES", "FileKind", "Found", "Key", "Table", "find", "tables"]
