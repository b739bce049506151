"""How facts are kept: the database, the clock, the tables, the chains, jobs and media."""
