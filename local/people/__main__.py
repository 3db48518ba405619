"""Write made-up people to a file: `python -m local.people --count 100 --seed 7 --out people.json`."""

import argparse
from datetime import date
from pathlib import Path

import msgspec

from local.people.generator import generate


def main() -> None:
    """Write the people that the command line requests, as a JSON list."""
    parser = argparse.ArgumentParser(description="Made-up people with bank rows in Plaid's format.")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--today", type=date.fromisoformat, default=None, help="YYYY-MM-DD (default: today)")
    parser.add_argument("--out", type=Path, default=Path("people.json"))
    options = parser.parse_args()
    people = generate(options.count, seed=options.seed, today=options.today or date.today())
    options.out.write_bytes(msgspec.json.encode(people))
    print(f"{options.out}: {len(people)} people")


if __name__ == "__main__":
    main()
