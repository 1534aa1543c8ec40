"""Text in cells of a terminal."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from reports.cells import fit, fold, print_table


def test_no_line_of_a_table_ends_in_spaces_and_nothing_else_is_lost() -> None:
    out = Console(file=io.StringIO(), width=40)
    table = Table("drill", "last verdict", box=None, pad_edge=False)
    table.add_row("exchange-link-down", "pass")
    table.add_row("取引所", "")
    print_table(out, table)
    assert isinstance(out.file, io.StringIO)
    assert out.file.getvalue().split("\n") == [
        "drill               last verdict",
        "exchange-link-down  pass",
        "取引所",
        "",
    ]


def test_a_cell_that_is_folded_stays_in_its_column() -> None:
    out = Console(file=io.StringIO(), width=20)
    table = Table("a", "b", box=None, pad_edge=False)
    table.add_row("x", "one two three four five")
    print_table(out, table)
    assert isinstance(out.file, io.StringIO)
    assert out.file.getvalue() == "a  b\nx  one two three\n   four five\n"


def test_what_is_left_out_is_counted_even_where_the_first_alone_is_too_long() -> None:
    words = ["one two three", "fourteen", "fifteen"]
    assert fit(words, "; ", 40, "and {} more".format) == "one two three; fourteen; fifteen"
    assert fit(words, "; ", 25, "and {} more".format) == "one two three; and 2 more"
    assert fit(words, "; ", 24, "and {} more".format) == "one two three; and 2 more"
    assert fit(words, "; ", 8) == "one two three"
    assert fit(words[:1], "; ", 8, "and {} more".format) == "one two three"


@pytest.mark.parametrize(
    ("words", "width", "rows"),
    [
        ("one two three", 40, ["one two three"]),
        ("one two three", 8, ["one two", "three"]),
        ("abcdefghij kl", 4, ["abcd", "efgh", "ij", "kl"]),
        ("back in 5.2–5.4 s again", 12, ["back in", "5.2–5.4 s", "again"]),
        ("復旧せず、行動なし、二重 3 件", 20, ["復旧せず、行動なし、", "二重 3 件"]),
        ("訓練用のラベルと（参照）", 10, ["訓練用のラ", "ベルと（参", "照）"]),
        ("一二三四五。六", 10, ["一二三四", "五。六"]),
        ("", 10, [""]),
    ],
)
def test_words_are_folded_and_nothing_is_lost(words: str, width: int, rows: list[str]) -> None:
    found = fold(words, width)
    assert found == rows
    assert all(cell_len(row) <= width for row in found)
    assert "".join(found).replace(" ", "") == words.replace(" ", "")
