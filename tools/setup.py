"""Makes .venv with the locked dependencies and this package in it; needs nothing but Python 3.11 or newer."""

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".venv"


def main() -> int:
    """Make or refresh the environment."""
    if sys.version_info < (3, 11):  # noqa: UP036  whoever runs this may have an older one
        print(f"openinspector needs Python 3.11 or newer, this is {sys.version.split()[0]}", file=sys.stderr)
        return 1
    python = FOLDER / "bin" / "python"
    if not python.exists():
        try:
            venv.create(FOLDER, with_pip=True)
        except subprocess.CalledProcessError:
            print("Python's venv module can't make an environment here: install python3-venv", file=sys.stderr)
            return 1
    pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    subprocess.run([*pip, "--require-hashes", "-r", str(ROOT / "requirements.lock")], check=True)
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "-e", str(ROOT)], check=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
