"""Make the C library of Encode's function keep the memory that is freed.

By default glibc gives blocks of megabytes back to the kernel, and the next block has fresh pages. Encode uses
hundreds of such blocks for a shard: for CSV, faults on their pages took an eighth of its time.
"""

from __future__ import annotations

ENVIRONMENT = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(2**30),
}
"""Environment variables. With one arena, threads reuse what others free. 32 MiB is the highest threshold for
mmap that glibc accepts."""
