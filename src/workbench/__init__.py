"""The notebook vocabulary of the register workbench."""
