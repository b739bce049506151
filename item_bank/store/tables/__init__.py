"""The tables, one file per subject, on one MetaData."""
