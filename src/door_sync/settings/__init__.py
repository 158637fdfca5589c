"""Settings (see model)."""
