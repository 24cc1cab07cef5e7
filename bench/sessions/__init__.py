"""Sessions: what trains and measures, for every experiment that does."""
