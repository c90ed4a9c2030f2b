"""The portal: released results in a browser, chosen and compared, and nothing else served.

    releases    finds release folders, checks their records and copies what they list
    results     a release's tables as indicators by unit, level of organisation and period
    words       the portal's own sentences in three languages
    marks       shapes, colours and words of levels and flags
    pictures    caterpillar, funnel and trend as SVG
    tables      the same numbers as a table for the page
    downloads   the same numbers as CSV, workbook and picture
    choices     what can be chosen, and what was
    explorer    the page with its controls (widgets)
    start_page  registers, reports and packs
    kernel      the process behind one visitor's page; closed to code once the page stands
    server      Voila, with fewer doors, places that are counted and released files only
    launch      the fresh folder, the clean environment and the start

The served process imports this room, `output.sheet`, `language` and `errors`, and no room with
persons in it.
"""
