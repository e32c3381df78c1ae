from pathlib import Path

import pytest

from discord_agent.sandbox.lending import ToolCredential, lent, plain, refusal, without

TOKEN = "eyJhbGciOiJIUzI1NiJ9.payload"
KUBE = ToolCredential.model_validate({"program": "kubectl", "variable": "KUBECONFIG", "value": TOKEN, "as_file": True})
CLOUD = ToolCredential.model_validate({"program": "cloud", "variable": "CLOUD_TOKEN", "value": TOKEN})


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("kubectl get pods", ["kubectl", "get", "pods"]),
        ("kubectl get pods -l 'app in (a, b)'", ["kubectl", "get", "pods", "-l", "app in (a, b)"]),
        ('  kubectl describe pod "my pod"', ["kubectl", "describe", "pod", "my pod"]),
    ],
)
def test_a_command_that_is_nothing_but_its_program_gets_its_credentials(command: str, arguments: list[str]) -> None:
    alone = plain(command, [KUBE, CLOUD])
    assert alone is not None
    assert (alone.arguments, alone.credentials) == (arguments, (KUBE,))


@pytest.mark.parametrize(
    "command",
    [
        "kubectl get pods; env",
        "kubectl get pods | tee x",
        "kubectl get pods && env",
        "kubectl get pods > x",
        "kubectl get `env`",
        "kubectl get $(env)",
        'kubectl get "$KUBECONFIG"',
        "kubectl get pods\nenv",
        "kubectl get pods &",
        "(kubectl get pods)",
        "A=b kubectl get pods",
        "./kubectl get pods",
        "env kubectl get pods",
        "kubectl 'get",
        "kubectlx get pods",
        "",
    ],
)
def test_any_other_command_gets_none(command: str) -> None:
    assert plain(command, [KUBE]) is None


def test_without_a_credential_every_command_is_the_shells() -> None:
    assert plain("kubectl get pods", []) is None


def test_a_command_that_uses_the_program_among_others_is_told_how_to_get_it() -> None:
    assert "kubectl and its arguments" in refusal("kubectl get pods | head", [KUBE])
    assert refusal("ls ./kubectl my-kubectl", [KUBE]) == ""


def test_a_file_is_readable_by_its_owner_only_and_gone_afterwards(tmp_path: Path) -> None:
    with lent([KUBE, CLOUD], tmp_path) as variables:
        path = Path(variables["KUBECONFIG"])
        assert path.read_text(encoding="utf-8") == TOKEN
        assert path.stat().st_mode & 0o777 == 0o600
        assert variables["CLOUD_TOKEN"] == TOKEN
    assert list(tmp_path.iterdir()) == []


def test_an_output_holds_neither_the_secret_nor_its_long_words() -> None:
    config = ToolCredential.model_validate({"program": "kubectl", "variable": "KUBECONFIG", "value": f"token: {TOKEN}"})
    assert without(f"a token: {TOKEN} and {TOKEN}!", [config]) == "a [KUBECONFIG] and [KUBECONFIG]!"


@pytest.mark.parametrize("fields", [{"program": "../kubectl"}, {"program": "a b"}, {"variable": "LD PRELOAD"}])
def test_a_credential_for_anything_but_a_plain_program_and_variable_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="pattern"):
        ToolCredential.model_validate({"program": "kubectl", "variable": "X", "value": "y", **fields})
