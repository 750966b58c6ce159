"""What comes from the vans: read, applied once in one commit, and only then answered."""
