"""One release as people read it: a page, paper, slides, a workbook."""
