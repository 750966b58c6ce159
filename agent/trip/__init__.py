"""The day's run as values, and the one pure function that moves it on."""
