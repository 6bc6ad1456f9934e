"""Drop the symbol tables of shared libraries: debuggers read them, loaders do not."""

from __future__ import annotations

import struct
from pathlib import Path

ELF_64_LITTLE_ENDIAN = b"\x7fELF\x02\x01"
FILE_HEADER = struct.Struct("<16s2HI3QI6H")
PROGRAM_HEADER = struct.Struct("<2I6Q")


def drop_symbol_tables(library: Path) -> None:
    """Cut ``library`` after the last byte that a loader reads, as ``strip --strip-section-headers`` does.

    The program headers name what is mapped, with the symbols that other libraries link to and the tables that
    exceptions need. Behind it lie, in most libraries, names for debuggers and the section headers, which lead
    to those names. A file that is not a library of Linux is left as it is.
    """
    with library.open("r+b") as file:
        head = file.read(FILE_HEADER.size)
        if len(head) < FILE_HEADER.size or not head.startswith(ELF_64_LITTLE_ENDIAN):
            return
        fields = list(FILE_HEADER.unpack(head))
        _, _, _, _, _, program_headers, _, _, _, entry_size, count, *_ = fields
        end = program_headers + entry_size * count
        for index in range(count):
            file.seek(program_headers + entry_size * index)
            _, _, offset, _, _, size, _, _ = PROGRAM_HEADER.unpack(file.read(PROGRAM_HEADER.size))
            end = max(end, offset + size)
        fields[6] = fields[12] = fields[13] = 0  # where the section headers are, how many, which has names
        file.seek(0)
        file.write(FILE_HEADER.pack(*fields))
        file.truncate(end)
