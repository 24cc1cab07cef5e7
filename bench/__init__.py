"""The benchmark: runs experiments in small units, keeps their tables, writes the report."""
