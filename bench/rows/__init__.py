"""What is measured; importing this package fills bench.rounds.TABLE in the order of the report."""

from bench.rows import ingest, reading, scanning, workspace  # noqa: F401 - each adds its rows
