"""From expected arrivals to what a customer is told, and when. Pure."""
