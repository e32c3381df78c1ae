import fcntl
import json
import platform
import shutil
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
import yaml
from mcp.server.mcpserver import MCPServer

from deployment.packages.budgets import BUDGETS, LARGEST_ARCHIVE
from deployment.packages.build import PLATFORMS, Packages, build
from deployment.packages.trial import Trial
from devstack import package_bench
from devstack.model.script import parse_script
from devstack.model.server import ModelServer
from devstack.options import ROOT
from discord_agent.declaration import Package
from discord_agent.domain.errors import InvalidSettings
from discord_agent.system import SYSTEM
from tests.support.providers import provider, whole
from tests.support.tool_servers import HANDSHAKES, MODERN, serving

ZIPPED = [function.name for function in SYSTEM.functions.values() if function.package is not Package.SANDBOX]
HOST = "arm64" if platform.machine() in {"aarch64", "arm64"} else "x86_64"


def built(architecture: str) -> Packages:
    try:
        return build(SYSTEM, ROOT, architecture)
    except InvalidSettings as error:
        if "uv says" in str(error) and "client error (Connect)" in str(error):
            pytest.skip(f"packages: no registry of wheels can be reached for {architecture}")
        raise


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    return Trial(SYSTEM, built(HOST), tmp_path_factory.mktemp("lambda"))


def run(trial: Trial, function: str, code: str, *arguments: str) -> str:
    """Run code in an interpreter that finds what the function finds in Lambda, and nothing else of this machine."""
    script = f"import sys; sys.path[:0] = {trial.path(function)!r}\n{code}"
    command = [sys.executable, "-I", "-S", "-c", script, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PYTHONDONTWRITEBYTECODE": "1"})
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("architecture", sorted(PLATFORMS))
def test_every_function_keeps_within_its_budget_and_every_archive_within_lambdas_limit(
    architecture: str, tmp_path: Path
) -> None:
    packages = built(architecture)
    trial = Trial(SYSTEM, packages, tmp_path)
    sizes = {name: trial.size(name) for name in ZIPPED}
    assert {name: size for name, size in sizes.items() if size > BUDGETS[SYSTEM.functions[name].package]} == {}
    archives = {name: (packages.folder / f"{name}.zip").stat().st_size for name in packages.unpacked}
    assert {name: size for name, size in archives.items() if size > LARGEST_ARCHIVE} == {}


def test_the_same_sources_give_the_same_bytes(tmp_path: Path) -> None:
    packages = built(HOST)
    for part in ("requirements", "prompts", "layers", "functions", "gateway_bridge", "deployment"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / ".tools").symlink_to(ROOT / ".tools")
    again = build(SYSTEM, tmp_path, HOST)
    for archive in sorted(packages.folder.rglob("*.zip")):
        assert (again.folder / archive.relative_to(packages.folder)).read_bytes() == archive.read_bytes(), archive.name


def test_a_build_waits_for_the_one_under_way() -> None:
    folder = built(HOST).folder
    with (folder / "lock").open("w") as lock, ThreadPoolExecutor(1) as pool:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = pool.submit(built, HOST)
        assert wait((second,), timeout=1).not_done
        fcntl.flock(lock, fcntl.LOCK_UN)
        assert second.result().folder == folder


def test_no_archive_holds_code_that_runs_when_python_starts_or_modules_without_bytecode() -> None:
    for archive in sorted(built(HOST).folder.rglob("*.zip")):
        with zipfile.ZipFile(archive) as packed:
            names = set(packed.namelist())
        assert [name for name in names if name.endswith(".pth") or Path(name).stem in STARTERS] == []
        sources = {Path(name) for name in names if name.endswith(".py")}
        compiled = {path.parent / "__pycache__" / f"{path.stem}.cpython-313.pyc" for path in sources}
        assert {path for path in compiled if path.as_posix() not in names} == set(), archive.name


def test_the_package_holds_the_models_as_json_too() -> None:
    with zipfile.ZipFile(built(HOST).layer("core")) as packed:
        written, as_json = (packed.read(f"prompts/models.{kind}") for kind in ("yaml", "json"))
    data = json.loads(as_json)
    assert data == json.loads(json.dumps(yaml.safe_load(written)))
    assert list(data["tiers"]) == list(yaml.safe_load(written)["tiers"])


STARTERS = {"sitecustomize", "usercustomize"}


@pytest.mark.parametrize("function", ZIPPED)
def test_a_handler_is_imported_from_its_package_alone_and_litellm_only_where_models_are_asked(
    trial: Trial, function: str
) -> None:
    loaded = set(json.loads(run(trial, function, "import handler, json; print(json.dumps(list(sys.modules)))")))
    assert ("litellm" in loaded) is (SYSTEM.functions[function].package is Package.MODELS)


CALL = """
import json
from discord_agent.adapters.llm.access import ModelAccess
from discord_agent.adapters.llm.model import LiteLLMModel
from discord_agent.adapters.llm.registry import ModelRegistry
from discord_agent.adapters.folders import find_root
from discord_agent.domain.conversation import Message, ModelRequest, Purpose, Role, ToolSpec
registry = ModelRegistry.load(find_root() / "models.yaml")
access = ModelAccess(sys.argv[1], "key")
model = LiteLLMModel(registry, lambda: access)
tool = ToolSpec("look", "looks", {"type": "object", "properties": {}})
said = []
for tools, on_text in (((), None), ((tool,), None), ((), said.append)):
    request = ModelRequest(Purpose.RESPOND, registry.names[0], (Message(Role.USER, "hello"),), tools=tools)
    reply = model.complete(request, on_text=on_text)
    print(json.dumps([reply.message.text, reply.usage.output]))
model.close()
"""


def test_a_model_is_asked_and_streams_from_the_package_alone(trial: Trial) -> None:
    script = {"introduction": "I am scripted.", "respond": [{"content": "Hello from the script."}]}
    server = ModelServer(parse_script(script, "script of the test"), key="key")
    server.start()
    try:
        printed = run(trial, "turn", "import handler\n" + CALL, server.url)
    finally:
        server.stop()
    replies = [json.loads(line) for line in printed.splitlines()]
    assert len(replies) == 3
    assert "Hello from the script." in replies[0][0]
    assert all(text and tokens > 0 for text, tokens in replies)


REFUSED = """
import handler, asyncio, json, os
from discord_agent.adapters.folders import find_root
from discord_agent.adapters.llm.client import LiteLLMClient
from discord_agent.adapters.llm.patience import Patience
from discord_agent.adapters.llm.registry import ModelRegistry
from discord_agent.adapters.llm.targets import Target
from discord_agent.domain.conversation import Message, ModelRequest, Purpose, Role, ToolSpec
registry = ModelRegistry.load(find_root() / "models.yaml")
tool = ToolSpec("look", "looks", {"type": "object", "properties": {}})
os.environ["AWS_REGION"] = "eu-west-1"
def ask(name, listed):
    request = ModelRequest(Purpose.RESPOND, name, (Message(Role.USER, "hello"),), tools=(tool,))
    arguments = {"model": listed, "api_key": "key", "api_base": sys.argv[1]}
    target = Target(name, arguments, registry.reader(name))
    return asyncio.run(LiteLLMClient().attempt(request, target, Patience(20, 20), 20, None))
# Each in a process of its own: what one has loaded, the next would find.
gateway = [(registry.names[0], f"hosted_vllm/{registry.names[0]}")]
for name, listed in gateway + [(name, listed) for name in registry.names for listed in registry.providers(name)]:
    if child := os.fork():
        os.waitpid(child, 0)
        continue
    try:
        told = ask(name, listed).kind
    except BaseException as error:
        told = repr(error)
    print(json.dumps([listed, told]), flush=True)
    os._exit(0)
"""


def test_every_provider_can_be_asked_and_what_it_refuses_is_understood_from_the_package_alone(trial: Trial) -> None:
    refusal = {"error": {"message": "no", "type": "authentication_error", "code": "invalid_api_key"}}
    with provider(whole(refusal, status=401)) as it:
        told = [json.loads(line) for line in run(trial, "turn", REFUSED, it.url).splitlines()]
    assert {listed.partition("/")[0] for listed, _ in told} > {
        "hosted_vllm",
        "openai",
        "anthropic",
        "bedrock",
        "gemini",
    }
    assert [[listed, kind] for listed, kind in told if kind != "refused"] == []


TOOLS = """
import handler, anyio, json
from discord_agent.adapters.tools.definitions import ToolServer
from discord_agent.adapters.tools.streamable import calling, tools_of
server = ToolServer.model_validate({"name": "tracker", "url": sys.argv[1]})
async def speak():
    listed = [tool.name for tool in await tools_of(server, "", 10)]
    async with calling(server, "") as call:
        return [listed, *await call("add", {"first": 1, "second": 2})]
print(json.dumps(anyio.run(speak)))
"""


@pytest.mark.parametrize("revision", [MODERN, *HANDSHAKES])
def test_tool_servers_are_spoken_to_from_the_package_alone(trial: Trial, revision: str) -> None:
    tracker = MCPServer("tracker")

    @tracker.tool()
    def add(first: int, second: int) -> str:
        """Add."""
        return f"sum: {first + second}"

    with serving(tracker, revision=revision) as served:
        told = json.loads(run(trial, "turn", TOOLS, served.url))
    assert told == [["add"], "sum: 3", True]


WATCHED = """
import sys
seen = []
def watch(frame, event, argument):
    if event == "call" and frame.f_code.co_qualname == "token_bytes":
        seen.append(f"token {frame.f_back.f_back.f_globals['__name__']}")
    if event == "call" and frame.f_code.co_qualname in {"uuid1", "uuid4", "ClientCreator.create_client", "create_connection"}:
        seen.append(frame.f_code.co_qualname)
    if event == "c_call" and getattr(argument, "__name__", "") == "urandom":
        seen.append(f"urandom {frame.f_globals['__name__']} {frame.f_code.co_qualname}")
sys.setprofile(watch)
import handler
sys.setprofile(None)
import random, json
before = random.getstate()
for restored, arguments, named in __import__("snapshot_restore_py").get_after_restore():
    restored(*arguments, **named)
print(json.dumps({"seen": seen, "drawn_anew": random.getstate() != before}))
"""


UNUSED = {
    # The key by which processes of one program know each other: no function starts one.
    "urandom multiprocessing.process _MainProcess.__init__",
    # Keys of openai's client for Bedrock and of litellm's guardrails, neither of which is ever called.
    "urandom openai.lib.bedrock <module>",
    "token litellm.integrations.custom_guardrail",
    "urandom random SystemRandom.randbytes",
}
"""What libraries draw when they are imported, and nobody here uses."""


@pytest.mark.parametrize("function", ["interactions", "intake", "approval", "turn"])
def test_nothing_unique_that_is_used_is_made_before_a_snapshot_and_chance_is_drawn_anew_after_it(
    trial: Trial, function: str
) -> None:
    said = json.loads(run(trial, function, WATCHED))
    assert set(said["seen"]) - UNUSED == set()
    assert said["drawn_anew"]


def test_the_benchmark_starts_every_kind_of_function_from_its_package_and_compares_it() -> None:
    built(HOST)
    result = package_bench.measure(rounds=1, names=["prepare"])
    compared = {"sqs", "dynamodb", "litellm"}
    started = compared | {"interactions", "intake", "turn", "prepare"}
    assert result["init_cpu_seconds"].keys() == started
    assert min(result["init_cpu_seconds"].values()) > 0
    assert result["unpacked_bytes"].keys() == started - compared
    assert [target["name"] for target in result["targets"] if target["unit"] == "MB" and not target["met"]] == []
