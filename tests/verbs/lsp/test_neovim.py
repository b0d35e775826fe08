"""Neovim, with the lines of the page for editors in its ``init.lua``."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from requirements import require, require_package
from spec_editor import changed

require_package("pygls")
require("nvim", shutil.which("nvim") is not None, "there is no Neovim")

PAGE = Path(__file__).parents[3] / "docs/editors.md"
LOOK = """\
local function shown()
  local problems, hints = vim.diagnostic.get(0), vim.lsp.inlay_hint.get({ bufnr = 0 })
  return #problems > 0 and #hints > 0, problems, hints
end
vim.wait(30000, shown, 50)
local _, problems, hints = shown()
io.stdout:write(vim.json.encode({ problems, hints }))
vim.cmd("qa!")
"""


def test_hints_and_problems_are_shown(tmp_path, environment):
    (tmp_path / "init.lua").write_text(re.search(r"```lua\n(vim\.api.*?)```", PAGE.read_text("utf-8"), re.S)[1])
    (tmp_path / "look.lua").write_text(LOOK)
    (tmp_path / "spec.yaml").write_text(changed("batch_size: 10", "decays: {Affine1.W: 0.1}"))
    command = ["nvim", "--headless", "-u", "init.lua", "spec.yaml", "-c", "luafile look.lua"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    settings = {"cwd": tmp_path, "env": environment | {"PATH": path, "XDG_STATE_HOME": str(tmp_path)}, "timeout": 60}
    done = subprocess.run(command, capture_output=True, text=True, check=True, **settings)
    problems, hints = json.loads(done.stdout)
    assert [(each["source"], each["lnum"], each["severity"]) for each in problems] == [("mlpkit", 10, 2)]
    labels = [each["inlay_hint"]["label"] for each in hints]
    assert labels == ["→ 50 · 350 parameters", "→ 50", "→ 3 · 153 parameters"]
