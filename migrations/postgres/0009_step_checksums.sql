-- SHA-256 of the SQL of each step, so that a database whose steps differ from the program's is refused.
ALTER TABLE schema_migrations ADD COLUMN checksum TEXT;
