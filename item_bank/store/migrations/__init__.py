"""The one history of the schema, in Alembic's form; run by `store/schema.py` only."""
