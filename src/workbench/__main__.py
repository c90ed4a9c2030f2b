"""Where the command `workbench` and `python -m workbench` begin."""


def main() -> None:
    """Load the command line and run it; Ctrl-C while it still loads ends as quietly as later."""
    try:
        from workbench.cli import main as run
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    run()


if __name__ == "__main__":
    main()
