"""Where central keeps its tables: one database by URL, units of work, migrations, the writer."""
