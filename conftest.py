"""Test-wide pieces. The private directories of a test process are made in consilium/config/testing.py."""

pytest_plugins = ["consilium.testing.fixtures"]
