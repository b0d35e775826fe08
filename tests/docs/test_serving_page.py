"""What the page about serving sends is answered as it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from requirements import require_package
from served import serving
from walkthrough import commands_in

import mlpkit
from mlpkit.specfile.shipped_specs import shipped_specs

PAGE = (Path(__file__).parents[2] / "docs" / "serving.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.M | re.S)
COMMANDS = [command for kind, text in BLOCKS if kind == "console" for command in commands_in(text)]
NEW = b"amount,income,years_in_job,purpose\n4.3,10.5,13,car\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory, environment):
    require_package("uvicorn")
    folder = tmp_path_factory.mktemp("serving")
    mlpkit.run(mlpkit.load_spec(shipped_specs()["loans"]), directory=folder / "runs" / "loans", quiet=True)
    with serving("runs/loans", cwd=folder, env=environment) as found:
        yield found


def test_every_request_is_answered_as_the_page_shows(server):
    sent = [command for command in COMMANDS if command.line.startswith("curl")]
    assert len(sent) == 3
    for command in sent:
        _, _, header, _, body, address = shlex.split(command.line)
        path = address.removeprefix("http://127.0.0.1:8000")
        found = server.post(path, NEW if body.startswith("@") else body.encode(), dict([header.split(": ")]))
        if command.printed:
            assert found.body.decode().startswith(command.printed.rstrip("\n").removesuffix("..."))
        else:
            assert found.json["predictions"][0]["class"] == "yes"


def test_the_other_commands_are_those_of_the_program(invoke):
    others = [command.line for command in COMMANDS if not command.line.startswith("curl")]
    assert others == ["mlpkit run loans.yaml", "mlpkit serve runs/loans"]
    help_text = invoke("serve", "--help").out
    options = set(re.findall(r"`(--[a-z-]+)`", PAGE)) - {"--json", "--against"}
    assert options <= set(re.findall(r"--[a-z-]+", help_text))


def test_tritons_client_is_answered(server, capsys):
    require_package("tritonclient.http")
    (code,) = [text for kind, text in BLOCKS if kind == "python"]
    exec(compile(code.replace(":8000", f":{server.port}"), "serving.md", "exec"), {})
    assert capsys.readouterr().out == "[b'yes']\n"
