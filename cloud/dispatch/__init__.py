"""Orders and vans to manifests: who gets which stop, and why some get none. Pure."""
