"""Look at a folder that is about to leave, whoever made it: the last pair of eyes.

findings    what is told, never with a value       contents   files of every kind, opened
numbers     identity numbers in texts              columns    small counts, pseudonyms, names
record      files beside their release record      folder     all of it, file by file
"""

from workbench.output.departure.findings import Finding
from workbench.output.departure.folder import check_folder

__all__ = ["Finding", "check_folder"]
