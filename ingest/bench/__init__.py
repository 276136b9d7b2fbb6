"""What `octavo bench ingest` and `octavo bench search` measure: speed beside the usual recipe, and search in a large library."""
