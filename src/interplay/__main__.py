"""`python -m interplay`: the same as the `interplay` command."""

from interplay.cli import main

if __name__ == "__main__":
    main()
