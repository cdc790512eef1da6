"""`python -m openinspector`."""

from openinspector.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
