"""The fault campaign: seeded tries in which something goes wrong, to show that nothing goes wrong silently."""
