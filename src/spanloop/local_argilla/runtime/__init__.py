"""The process around the local Argilla server: settings, database, owner, background jobs, faster bulk writes."""
