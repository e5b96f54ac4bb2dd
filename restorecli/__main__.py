"""`python -m restorecli` is the command line, for where the script is not on the path."""

from restorecli.cli.app import main

if __name__ == "__main__":
    main()
