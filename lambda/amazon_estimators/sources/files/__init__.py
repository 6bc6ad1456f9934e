"""Read objects as files: in windows, chunks or lines, decompressed, spilled to disk."""
