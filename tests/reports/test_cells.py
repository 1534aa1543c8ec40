"""Text in cells of a terminal."""

from __future__ import annotations

import io

from rich.console import Console
from rich.table import Table

from reports.cells import fit, print_table


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


def test_what_is_left_out_is_counted_even_where_the_first_is_cut() -> None:
    words = ["one two three", "fourteen", "fifteen"]
    assert fit(words, "; ", 40, "and {} more".format) == "one two three; fourteen; fifteen"
    assert fit(words, "; ", 25, "and {} more".format) == "one two three; and 2 more"
    assert fit(words, "; ", 24, "and {} more".format) == "one two thr…; and 2 more"
    assert fit(words, "; ", 8) == "one two…"
    assert fit(words[:1], "; ", 8, "and {} more".format) == "one two…"
