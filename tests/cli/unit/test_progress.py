"""What a bar shows while a file is read."""

import io

from rich.console import Console

from huaxiao.cli.progress import file_bar


def shown(size: int, *reached: tuple[int, int]) -> str:
    drawn = Console(file=io.StringIO(), force_terminal=True, width=100, color_system=None)
    with file_bar(drawn, "bills.csv", size) as tell:
        for rows, read in reached:
            tell(rows, read)
    assert isinstance(drawn.file, io.StringIO)
    return drawn.file.getvalue()


def test_a_files_bar_says_what_share_is_read_and_how_many_rows_that_was() -> None:
    assert "25%" in (half := shown(4_000, (0, 0), (1_500, 1_000)))
    assert "1,500 rows" in half


def test_an_empty_file_is_read_at_once() -> None:
    assert "100%" in shown(0, (0, 0))
