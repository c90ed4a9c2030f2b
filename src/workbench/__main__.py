"""`python -m workbench` is the command line where no script can be installed."""

from workbench.cli import main

if __name__ == "__main__":
    main()
