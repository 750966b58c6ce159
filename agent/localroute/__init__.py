"""In what order: the problem, an engine in a worker process, and a checker written apart from it."""
