"""Statistics: tidy tables in, tidy tables out; every number that is shown is made here."""
