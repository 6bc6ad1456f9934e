"""One self-contained HTML page about a training: what went in, what moved, what came out, what it cost."""
