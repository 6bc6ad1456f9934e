"""Write the corpus, the seeds of all targets: ``python -m fuzz.seeds``."""

from fuzz.target import write_seeds
from fuzz.targets import TARGETS

if __name__ == "__main__":
    write_seeds(TARGETS.values())
