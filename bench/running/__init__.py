"""Running: what is missing, as units of work, done by workers and shown while it goes."""
