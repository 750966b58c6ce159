"""Who may speak: the fleet's own authority, vans and their certificates, people and their sessions, and the audit."""
