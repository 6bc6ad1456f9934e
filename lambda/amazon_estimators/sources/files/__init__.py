"""Read objects as files: windows, chunks, lines, decompression, spilling to disk."""
