"""
`python tests/checks/secret_scan.py`: no secret stands in a file that git keeps.

detect-secrets with the detectors that know a secret by its form; none guesses by entropy, so that a finding is looked
at and not waved through. A made-up secret that a test needs is put together from pieces, or its line says
`pragma: allowlist secret`. Exit code 1 on a finding; it names file, line and kind, never the secret.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from detect_secrets.core.scan import scan_file
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).parents[2]
OURS = Path(__file__).with_name("secret_kinds.py").as_uri()
KNOWN = ("AWSKeyDetector", "PrivateKeyDetector", "GitHubTokenDetector", "GitLabTokenDetector", "JwtTokenDetector")
KNOWN += ("NpmDetector", "PypiTokenDetector", "SlackDetector", "OpenAIDetector")
SETTINGS = {
    "plugins_used": [
        *({"name": name} for name in KNOWN),
        *({"name": name, "path": OURS} for name in ("StripeKey", "WebhookSecret", "SettledKey")),
    ],
    "filters_used": [{"path": "detect_secrets.filters.allowlist.is_line_allowlisted"}],
}
NOT_TEXT = {".png", ".gz", ".jsa"}


def scan(files: Iterable[Path], root: Path) -> list[str]:
    """A sentence for each secret in these files."""
    with transient_settings(SETTINGS):
        found = [(file, secret) for file in files for secret in scan_file(str(file))]
    return sorted(
        {
            f"{file.relative_to(root)}:{one.line_number} holds what looks like a secret: {one.type}"
            for file, one in found
        }
    )


def kept(root: Path) -> list[Path]:
    """All text files that git keeps or would keep."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=root, capture_output=True, text=True, check=True).stdout.split("\0")
    files = [root / name for name in names if name]
    return [file for file in files if file.is_file() and file.suffix not in NOT_TEXT]


def main(root: Path = ROOT) -> int:
    """Scan, say what was found, and 1 where that is anything."""
    files = kept(root)
    found = scan(files, root)
    sys.stdout.write("".join(f"✗ {each}\n" for each in found) or f"✓ no secret in {len(files)} files\n")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
