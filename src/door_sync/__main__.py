"""`python -m door_sync` is the same as `door-sync`."""

from door_sync.cli import main

if __name__ == "__main__":
    main()
