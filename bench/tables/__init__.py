"""Tables: the words, the two tables, and the folder they are kept in."""
