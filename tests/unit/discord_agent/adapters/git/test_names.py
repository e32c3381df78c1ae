import pytest
from dulwich.refs import check_ref_format
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.adapters.git.names import branch_name, dropped_ref, head_ref


@given(st.text(max_size=200))
def test_every_text_becomes_a_valid_branch_name(text: str) -> None:
    name = branch_name(text)
    assert check_ref_format(head_ref(name))
    assert len(name) <= 60
    assert branch_name(name) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Fix the Login!", "fix-the-login"),
        ("agent/Add OAuth2 support", "agent/add-oauth2-support"),
        ("a..b.lock", "a-b"),
        ("--upload-pack=touch /tmp/x", "upload-pack-touch/tmp/x"),
        ("; rm -rf $HOME", "rm-rf-home"),
        ("HEAD", "agent-work"),
        ("日本語", "agent-work"),
        ("", "agent-work"),
    ],
)
def test_branch_names_resemble_their_text(text: str, name: str) -> None:
    assert branch_name(text) == name


def test_a_dropped_branch_keeps_its_name_and_commit() -> None:
    assert dropped_ref("fix", "abcdef1234567890") == b"refs/dropped/fix-abcdef1"
