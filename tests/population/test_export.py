"""What lines an export has: every one once, whatever the files look like."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from cds.population import export
from cds.population.export import Export, NoExport, Unit, blocks, find_export, line_number


def lines(unit: Unit) -> list[tuple[int, bytes]]:
    """The lines of a unit that are not empty, by their number in it."""
    every = [line for block in blocks(unit) for line in block.split(b"\n")]
    return [(at, bare) for at, line in enumerate(every) if (bare := line.removeprefix(b"\xef\xbb\xbf").strip())]


def numbered(path: Path, size: int) -> list[bytes]:
    found = Export((path,), frozenset()).units(size)
    return [line for unit in found for _, line in lines(unit)]


@pytest.mark.parametrize("size", [1, 7, 16, 64, 10_000])
@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_every_line_is_in_one_unit(tmp_path: Path, size: int, end: str) -> None:
    wanted = [f'{{"n": {number}, "x": "{"y" * (number * 7 % 23)}"}}'.encode() for number in range(60)]
    file = tmp_path / "a.ndjson"
    between = b"\r\n" if end == "\r\n" else b"\n"
    file.write_bytes(b"\xef\xbb\xbf" + between.join(wanted) + end.encode())
    assert numbered(file, size) == wanted


def test_empty_lines_are_counted_and_not_told(tmp_path: Path) -> None:
    file = tmp_path / "a.ndjson"
    file.write_bytes(b'\n{"a":1}\n\n  \n{"b":2}\n\n')
    [unit] = Export((file,), frozenset()).units()
    assert lines(unit) == [(1, b'{"a":1}'), (4, b'{"b":2}')]


def test_a_line_is_found_again_by_its_number(tmp_path: Path) -> None:
    file = tmp_path / "a.ndjson"
    file.write_bytes(b"".join(b"line %d\n" % number for number in range(1, 200)))
    for unit in Export((file,), frozenset()).units(100):
        for number, line in lines(unit):
            assert line == b"line %d" % line_number(unit, number)


def test_a_line_that_is_too_long_is_cut_and_the_next_ones_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "LONGEST", 1_000)
    monkeypatch.setattr(export, "_BLOCK", 64)
    file = tmp_path / "a.ndjson"
    file.write_bytes(b"first\n" + b"x" * 50_000 + b"\nlast\n")
    for size in (10, 500, 100_000):
        first, cut, last = numbered(file, size)
        assert (first, last) == (b"first", b"last") and 1_000 < len(cut) < 50_000


def test_gzipped_files_are_read_and_those_cut_off_raise(tmp_path: Path) -> None:
    file = tmp_path / "a.ndjson.gz"
    content = gzip.compress(b"".join(b'{"n": %d}\n' % number for number in range(20_000)))
    file.write_bytes(content)
    assert len(numbered(file, 100)) == 20_000
    file.write_bytes(content[:-2_000])
    with pytest.raises(EOFError):
        list(blocks(Unit(file)))


def test_types_are_told_by_names_and_by_first_lines(tmp_path: Path) -> None:
    (tmp_path / "Observation.000.ndjson").write_text("")
    (tmp_path / "part-7.jsonl").write_text('{"resourceType":"Condition"}\n')
    found = find_export(tmp_path, frozenset({"Procedure"}))
    assert found.supplied == {"Observation", "Condition", "Procedure"}
    assert "MedicationStatement" in found.missing and "Patient" in found.missing


def test_a_manifest_says_what_was_exported_and_when(tmp_path: Path) -> None:
    (tmp_path / "x.ndjson").write_text('{"resourceType":"Patient"}\n')
    output = [{"type": "Patient", "url": "https://bulk.example/files/x.ndjson"}]
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"transactionTime": "2024-05-01T00:00:00Z", "output": output, "error": []}))
    found = find_export(manifest)
    assert (found.taken, found.supplied, [path.name for path in found.files]) == (
        "2024-05-01T00:00:00Z",
        {"Patient"},
        ["x.ndjson"],
    )
    (tmp_path / "x.ndjson").unlink()
    with pytest.raises(NoExport, match=r"x\.ndjson"):
        find_export(manifest)


def test_where_there_is_nothing_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoExport, match="no NDJSON"):
        find_export(tmp_path)
    file = tmp_path / "letter.json"
    file.write_text("dear colleague")
    with pytest.raises(NoExport, match="no manifest"):
        find_export(file)
