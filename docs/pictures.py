"""Makes the pictures of a training, its report, an error, an editor, a page and the playground, from real runs.

    python docs/pictures.py

It needs the extras ``test-all`` and ``plot``, Chromium and Neovim, and takes a minute. Times differ from run to run, so
no test compares the pictures: make them again when what they show has changed.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import sys
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
PICTURES: Final = ROOT / "docs/pictures"
sys.path.insert(0, str(ROOT / "tests/support"))

from generators.marked_blocks import write_files  # noqa: E402 - as the next
from generators.terminal import terminal  # noqa: E402 - as the next
from headless_browser import Page, browser_page  # noqa: E402 - only now can it be found

from mlpkit.verbs.play.server import server_at, session_of  # noqa: E402

MAIN: Final = "specs/mnist_3layer.yaml"
FAST: Final = "specs/mnist_fast.yaml"
MARGIN: Final = 24
CHARTS: Final = "document.querySelectorAll('.chart:has(> script)').length"
DRAWN: Final = "document.querySelectorAll('.chart .chart svg').length"
DIGIT: Final = 3
"""The digit that is drawn on the exported page."""
STROKES: Final = ROOT / "tests/plugins/exporters/drawn_digits/strokes.json"
PAD: Final = "document.querySelector('canvas.pad')"
EDITOR: Final = """
vim.opt.number, vim.opt.termguicolors, vim.opt.laststatus, vim.opt.ruler = true, true, 0, false
vim.api.nvim_set_hl(0, "LspInlayHint", { fg = "#9fd08a" })
vim.api.nvim_set_hl(0, "LineNr", { fg = "#8a8a8a" })
vim.diagnostic.config({ virtual_text = { format = function(found) return vim.split(found.message, "\\n")[1] end } })
local function misspell()
  vim.fn.setline(11, "  - Affine: {units: 12}")
end
vim.api.nvim_create_autocmd("LspAttach", { callback = function() vim.defer_fn(misspell, 5000) end })
"""
"""What ``init.lua`` has in addition to the lines in ``docs/editors.md``: colours, and a mistake that is made."""
COURSE: Final = {"data": "labels", "check": "total"}
"""The last word that a command of a chapter prints, by the command."""
OVERVIEW: Final = """<!doctype html>
<meta charset="utf-8">
<style>
body {{ margin: 0; padding: 24px; background: #eef0f3; font: 15px/1.5 system-ui, sans-serif; color: #1c1c1e; }}
main {{ display: grid; grid-template-columns: 580px 620px; gap: 20px 24px; }}
h2 {{ margin: 0 0 8px; font-size: 18px; }}
pre, .terminal {{ box-sizing: border-box; height: 344px; margin: 0; border-radius: 10px; }}
pre {{ padding: 14px 18px; background: #fff; font: 12px/17px ui-monospace, monospace; }}
.terminal {{ background: #292929; }}
.terminal img {{ display: block; width: 100%; height: 100%; object-fit: contain; }}
.report {{ grid-column: span 2; }}
.report img {{ display: block; width: 100%; border-radius: 10px; }}
</style>
<main>
<section><h2>A spec</h2><pre>{spec}</pre></section>
<section><h2>Its training</h2><div class="terminal"><img src="{run}"></div></section>
<section class="report"><h2>From its report</h2><img src="{report}"></section>
</main>
"""


def main() -> None:
    """Make all pictures."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "specs", folder / "specs")
        _write("run.svg", terminal(f"mlpkit run {MAIN}", folder, rows=20, until=r"\b[56],\d{3} of 10,000"))
        _write("error.svg", terminal(f"mlpkit check {MAIN} --set layers.Affine3.units=12", folder, rows=12, columns=90))
        _write("editor.svg", _editor(folder))
        for page, command in (("loader", "data"), ("layers", "check")):
            write_files((ROOT / f"docs/course/{page}.md").read_text("utf-8"), folder)
            drawing = terminal(f"mlpkit {command} {page}.yaml", folder, rows=18, columns=64, until=COURSE[command])
            _write(f"course-{command}.svg", drawing)
        _mlpkit(folder, "run", MAIN, "--out", "runs/main", "--report")
        _mlpkit(folder, "run", FAST, "--set", "training.evaluate_every=46", "--out", "runs/digits", "--report")
        _mlpkit(folder, "export", "runs/digits", "--to", "digits.html")
        with browser_page(folder / "profile") as page:
            _open(page, folder / "runs/digits/report.html", 1000, 1000)
            _write("report.webp", _screen(page))
            _open(page, folder / "digits.html", 1000, 760)
            _draw(page)
            _write("network-page.webp", _screen(page))
            _write("playground.webp", _playground(page, folder))
            _open(page, folder / "runs/main/report.html", 1000, 402)
            page.evaluate("document.getElementById('curves').parentElement.scrollIntoView()")
            (folder / "report.webp").write_bytes(_screen(page))
            (folder / "overview.html").write_text(_overview(folder / "report.webp"), encoding="utf-8")
            _open(page, folder / "overview.html", 1272, 1300)
            _write("overview.webp", _screen(page, "main"))


def _editor(folder: Path) -> str:
    """Return a picture of Neovim with the main spec, without its comments."""
    settings = re.search(r"```lua\n(vim\.api.*?)```", (ROOT / "docs/editors.md").read_text("utf-8"), re.DOTALL)
    assert settings
    (folder / "init.lua").write_text(settings[1] + EDITOR, "utf-8")
    (folder / "mnist.yaml").write_text(re.sub(" +#.*", "", (folder / MAIN).read_text("utf-8")), "utf-8")
    return terminal("nvim -u init.lua mnist.yaml", folder, rows=20, columns=100, until="12 logits for 10 classes")


def _mlpkit(folder: Path, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "mlpkit", *arguments], cwd=folder, check=True)


def _write(name: str, picture: str | bytes) -> None:
    content = picture.encode() if isinstance(picture, str) else picture
    (PICTURES / name).write_bytes(content)
    sys.stdout.write(f"docs/pictures/{name} {len(content) / 1000:.0f} kB\n")


def _open(page: Page, file: Path, width: int, height: int) -> None:
    """Open a page, and wait until its charts are drawn."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1.5, "mobile": False}
    page.call("Emulation.setDeviceMetricsOverride", **size)
    page.call("Emulation.setScrollbarsHidden", hidden=True)
    page.open(file.as_uri())
    page.wait_for(f"{DRAWN} === {CHARTS}")
    page.settle()


def _screen(page: Page, part: str = "") -> bytes:
    """Return a picture of what the window shows, or of all around a part of the page."""
    options: dict[str, Any] = {"format": "webp", "quality": 70}
    if part:
        height = page.evaluate(f"document.querySelector({part!r}).getBoundingClientRect().bottom + {MARGIN}")
        options["clip"] = {"x": 0, "y": 0, "width": page.evaluate("innerWidth"), "height": height, "scale": 1}
    return base64.b64decode(page.call("Page.captureScreenshot", **options)["data"])


def _playground(page: Page, folder: Path) -> bytes:
    """Return a picture of the playground, where two spirals are learned by a network, and then by a larger one."""
    idle = "now !== null && !busy && !waiting.length && !running"
    session = session_of(folder / "specs/flowers.yaml", folder / "played.yaml")
    with server_at(0, session) as server:
        page.open(server.address)
        page.wait_for(idle)
        page.evaluate("(byId('shapes').value = 'spirals', byId('shapes').dispatchEvent(new Event('change')))")
        page.wait_for(f"{idle} && spec.name === 'spirals'")
        page.call("Emulation.setDeviceMetricsOverride", width=1280, height=760, deviceScaleFactor=1.5, mobile=False)
        for units, steps in ((6, 400), (8, 700)):
            page.evaluate(f"actions.set('layers.Affine2.units', {units})")
            page.wait_for(idle)
            page.evaluate("(byId('speed').value = '10,30', byId('run').click())")
            page.wait_for(f"now.step >= {steps}")
            page.evaluate("byId('run').click()")
            page.wait_for(idle)
        page.settle()
        picture = _screen(page)
        page.open("about:blank")
    return picture


def _draw(page: Page) -> None:
    """Draw a digit with the mouse."""
    page.wait_for("document.querySelector('output')?.textContent")
    box = page.evaluate(
        f"(({{left, top, width, height}}) => [left, top, width, height])({PAD}.getBoundingClientRect())"
    )
    left, top, width, height = box
    drawn = next(each["strokes"] for each in json.loads(STROKES.read_text("utf-8")) if each["digit"] == DIGIT)
    for stroke in drawn:
        page.drag([(left + x / 100 * width, top + y / 100 * height) for x, y in stroke])
    page.settle()


def _overview(report: Path) -> str:
    """Return a page with a spec, its training and the beginning of its report."""
    spec = escape((ROOT / MAIN).read_text("utf-8"))
    return OVERVIEW.format(spec=spec, run=(PICTURES / "run.svg").as_uri(), report=report.as_uri())


if __name__ == "__main__":
    main()
