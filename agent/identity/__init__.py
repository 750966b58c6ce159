"""Who this van is to the coordinator: its key, its certificate, and what it may believe about the time."""
