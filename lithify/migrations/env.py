"""How Alembic runs our migrations: on the connection, and in the transaction, that the catalog hands it."""

from alembic import context

from lithify.store.tables import Table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    render_as_batch=True,  # SQLite alters a table by replacing it
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
