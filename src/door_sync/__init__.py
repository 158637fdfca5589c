"""door-sync keeps a UniFi Access controller equal to a CiviCRM membership list."""

__version__ = "1.0.0.dev0"
