"""Released numbers as pictures (SVG), light enough to be drawn while somebody waits.

sheet        paper, scales and marks
caterpillar  units sorted by value, with intervals
funnel       units by size, with the limits of chance
trend        up to five units over the years
"""
