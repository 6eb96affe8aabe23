"""`python -m aidc` is the same door as `aidc`."""

from aidc.cli.app import main

if __name__ == "__main__":
    main()
