"""The map of tiles: every region has its place, hidden and missing stay two things."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import yaml

from workbench.analysis.count_table import CountTable
from workbench.errors import DefinitionError, DisclosureError, StudyError
from workbench.language import speaking
from workbench.output.disclosure import release, release_reading
from workbench.output.figures import tile_map
from workbench.registers.documents import parse_document
from workbench.registers.organisations import load_organisation
from workbench.registers.tiles import TileMap, load_tile_map

SWEDEN = load_tile_map("sweden_regions")


@pytest.fixture
def shares(policy):
    """Sweden's regions; one hidden for three patients, one without any, one not in Sweden."""

    def make(keys, *, seed=3, small=True):
        draw = np.random.default_rng(seed)
        n = draw.integers(60, 400, len(keys))
        events = draw.binomial(n, draw.uniform(0.4, 0.8, len(keys)))
        if small:
            n[3], events[3], n[5], events[5] = 3, 1, 0, 0
        table = pd.DataFrame({"region": keys, "n": n, "events": events})
        counts = release(CountTable(table, ("region",)), policy, title="Starts")
        return release_reading(counts, "shares", title="Fistula or graft")

    return make


@pytest.mark.parametrize(
    ("name", "n"), [("sweden_regions", 21), ("norway_rhf", 4), ("norway_hf", 21)]
)
def test_every_tile_is_a_place_of_the_organisation(name, n):
    tiles = load_tile_map(name)
    known = load_organisation(tiles.organisation, []).places[tiles.level]
    assert len(tiles.tiles) == n and set(tiles.tiles) <= set(known)
    assert min(tile.column for tile in tiles.tiles.values()) == 0
    assert min(tile.row for tile in tiles.tiles.values()) == 0


def test_north_is_up_and_east_is_right():
    place = {tile.name: (tile.column, tile.row) for tile in SWEDEN.tiles.values()}
    assert place["Norrbotten"][1] < place["Jämtland"][1] < place["Skåne"][1]
    assert place["Västra Götaland"][0] < place["Stockholm"][0]
    assert place["Gotland"][0] > place["Kalmar"][0]


def test_hidden_missing_and_shown_are_three_things(shares):
    made = tile_map.plan(shares(list(SWEDEN.tiles)), tiles=SWEDEN, words="Fistula")
    states = {cell.name: cell.state for cell in made.cells}
    assert states["Västernorrland"] == "not shown"  # three patients
    assert states["Gävleborg"] == "no value"  # nobody
    shown = [cell for cell in made.cells if cell.state == "shown"]
    assert all(np.isfinite(cell.value) for cell in shown)
    assert "not shown" in " ".join(tile_map.notes(made))


def test_a_triangle_needs_an_interval_beyond_the_nation(shares):
    given = shares(list(SWEDEN.tiles), small=False)
    made = tile_map.plan(given, tiles=SWEDEN, words="Fistula")
    rows = given.frame.set_index("region")
    nation = given.facts["nation_estimate"]
    for code, cell in zip(SWEDEN.tiles, made.cells, strict=True):
        row = rows.loc[code]
        wanted = "above" if row["lower"] > nation else "below" if row["upper"] < nation else ""
        assert cell.side == wanted


def test_regions_are_found_by_name_and_by_label(shares):
    names = [tile.name for tile in SWEDEN.tiles.values()]
    by_name = tile_map.plan(shares(names), tiles=SWEDEN, words="F", own="Uppsala")
    by_code = tile_map.plan(shares(list(SWEDEN.tiles)), tiles=SWEDEN, words="F", own="03")
    assert by_name == by_code
    own_codes = [f"r{code}" for code in SWEDEN.tiles]
    labels = dict(zip(own_codes, names, strict=True))
    assert tile_map.plan(shares(own_codes), tiles=SWEDEN, words="F", own="r03",
                         labels=labels).cells == by_code.cells  # fmt: skip


def test_a_region_off_the_map_is_named_under_it(shares):
    made = tile_map.plan(shares([*SWEDEN.tiles, "99"]), tiles=SWEDEN, words="F")
    assert made.not_placed == ("99",) and "Not on the map: 99" in tile_map.notes(made)


def test_shades_of_close_values_are_close(shares):
    given = shares(list(SWEDEN.tiles))
    made = tile_map.plan(given, tiles=SWEDEN, words="F")
    low, high = made.ends
    assert high - low >= tile_map.NARROWEST - 1e-12
    near = tile_map.TilePlan(
        (tile_map.Cell("A", 0, 0, "shown", 0.99), tile_map.Cell("B", 1, 0, "shown", 1.0)),
        2, 1, "w", 0.99, (), "",
    )  # fmt: skip
    assert near.ends == pytest.approx((0.8, 1.0))


@pytest.mark.parametrize("spoken", ["en", "sv", "nb"])
def test_the_figure_is_sealed_told_in_words_and_the_same_each_time(shares, spoken):
    given = shares(list(SWEDEN.tiles))
    with speaking(spoken):
        figures = [
            tile_map.draw_tile_map(given, tiles=SWEDEN, words="Fistula", own="03") for _ in range(2)
        ]
    one, other = figures
    assert one.kind == "figure" and set(one.files) == {"svg", "png"}
    assert one.files == other.files and one.alternative_text == other.alternative_text
    lowest = {"en": "Lowest", "sv": "Lägst", "nb": "Lavest"}[spoken]
    assert lowest in one.alternative_text and "  " not in one.alternative_text


def test_what_cannot_be_mapped_is_refused(shares, released_counts):
    with pytest.raises(StudyError, match="tile map sweden_regions"):
        tile_map.plan(shares(["x", "y", "z"], small=False), tiles=SWEDEN, words="F")
    with pytest.raises(StudyError, match="by region only"):
        tile_map.plan(released_counts, tiles=SWEDEN, words="F")
    with pytest.raises(DisclosureError):
        tile_map.draw_tile_map(pd.DataFrame(), tiles=SWEDEN, words="F")


@pytest.fixture
def released_counts(policy):
    table = pd.DataFrame({"region": ["01", "01"], "year": [1, 2], "n": 50, "events": 20})
    counts = release(CountTable(table, ("region", "year")), policy, title="Starts")
    return release_reading(counts, "shares", title="Starts")


def test_tile_maps_that_cannot_be_used_are_refused(tmp_path):
    given = {
        "name": "two", "label": "Two", "organisation": "sweden", "level": "region",
        "tiles": {"a": {"name": "A", "column": "0", "row": "0"},
                  "b": {"name": "B", "column": "0", "row": "0"}},
    }  # fmt: skip
    with pytest.raises(DefinitionError, match="b and a stand on one tile"):
        parse_document(given, TileMap, where="two")
    given["tiles"]["b"] |= {"name": "a", "column": "1"}
    with pytest.raises(DefinitionError, match="the name a stands twice"):
        parse_document(given, TileMap, where="two")
    given["tiles"]["b"]["name"] = "B"
    (tmp_path / "tiles").mkdir()
    (tmp_path / "tiles" / "two.yaml").write_text(yaml.safe_dump(given), encoding="utf-8")
    assert load_tile_map("two", [tmp_path]).n_columns == 2
    with pytest.raises(DefinitionError, match="sweden_regions"):
        load_tile_map("sweden_region")
