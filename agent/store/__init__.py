"""The van's disk: inputs, the run, the outbox and evidence in one SQLite file, one transaction a step."""
