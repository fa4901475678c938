"""Compares the scenes in a page of the manual with those of a run, or writes them into it.

A scene is a fenced block after a line <!-- scene: NAME -->; the run has it as NAME.txt.
"""

import difflib
import pathlib
import re
import sys

page, folder, mode = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
text = page.read_text(encoding="utf-8")
scene = re.compile(r"(<!-- scene: ([a-z-]+) -->\n```\n)(.*?)(```)", re.S)
seen = {f.stem: f.read_text(encoding="utf-8").rstrip("\n") + "\n" for f in folder.glob("*.txt")}
told = [m.group(2) for m in scene.finditer(text)]
if not told or set(told) != set(seen):
    sys.exit(f"the page tells {sorted(told)}, the run has {sorted(seen)}")
now = scene.sub(lambda m: m.group(1) + seen[m.group(2)] + m.group(4), text)
if mode == "write":
    page.write_text(now, encoding="utf-8")
elif now != text:
    sys.stdout.writelines(difflib.unified_diff(text.splitlines(True), now.splitlines(True), "manual", "run"))
    sys.exit(1)
