"""What one site keeps: its history, its lock, the audit lines and the state file (§7)."""
