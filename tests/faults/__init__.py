"""The fault campaign: seeded tries of what can go wrong, to show that nothing goes wrong silently."""
