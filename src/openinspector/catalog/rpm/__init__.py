"""The databases of rpm: three containers (Berkeley DB, NDB, SQLite) for one kind of record, the header."""
