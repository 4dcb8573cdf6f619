"""Tables of a report, as Markdown that reads well in a terminal, too."""

from collections.abc import Iterator, Sequence


def verdict(target: str, *, holds: bool) -> str:
    """Say a target, and whether it was met."""
    return f"{target}: {'holds' if holds else 'does not hold'}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write rows under their headings."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    return "\n".join(_lines(head, rows, widths))


def _lines(
    head: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]
) -> Iterator[str]:
    def line(cells: Sequence[str]) -> str:
        padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
        return f"| {' | '.join(padded)} |"

    yield line(head)
    yield f"|{'|'.join('-' * (width + 2) for width in widths)}|"
    yield from (line(row) for row in rows)
