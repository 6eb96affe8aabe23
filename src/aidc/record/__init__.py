"""The record of a run: streamed to Parquet while it is made, immutable afterwards."""
