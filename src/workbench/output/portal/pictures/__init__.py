"""Released numbers as pictures (SVG), light enough to be drawn while somebody waits.

caterpillar  units sorted by value, with intervals
funnel       units by size, with the limits of chance
trend        up to five units over the years

They are drawn on `workbench.output.sheet`, as the explorer's are.
"""
