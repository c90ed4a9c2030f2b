"""The cohort explorer: choose who is studied, and see at once who is left and how they fare.

state        one state of the explorer: a study and a note      study_files  state <-> study file
choices      a state with one choice changed                    history      undo, redo, reset
offers       what a store and its definitions let one choose    code_search  codes found by words
facts        rows with everything that filters ask of them      queries      a state's results
tasks        one query at a time, the newest choice wins        pictures     what is drawn
view         the page                                           controls     its widgets

It is a tool for the secure room. What it shows has nevertheless passed the gate under the study's
release profile, so that a figure copied from it is as safe as one from a report.
"""
