import pytest

from tests.support.sandboxes import Client


def test_a_long_file_is_read_in_pieces(client: Client) -> None:
    client.call("bash", command="seq 1 4500 > numbers")
    first = client.call("read_file", path="numbers")
    assert first.text.startswith("1\n2\n")
    assert first.text.endswith("2000\n\n[more lines follow; go on with offset 2001]")
    last = client.call("read_file", path="numbers", offset=4499)
    assert last.text == "4499\n4500\n"
    assert not client.call("read_file", path="numbers", offset=4600).ok


def test_long_lines_and_binary_files_do_not_flood_the_model(client: Client) -> None:
    client.call("bash", command="head -c 5000 /dev/zero | tr '\\0' x > long; head -c 100 /dev/zero > binary; : > empty")
    assert client.call("read_file", path="long").text == "x" * 2000 + "… [line cut]\n"
    binary = client.call("read_file", path="binary")
    assert (binary.ok, binary.text) == (False, "binary is a binary file of 100 bytes")
    assert client.call("read_file", path="empty").text == "[the file is empty]"


def test_a_missing_file_is_answered_with_similar_names(client: Client) -> None:
    client.call("write_file", path="src/module.py", content="")
    reply = client.call("read_file", path="src/modul.py")
    assert (reply.ok, reply.text) == (False, "there is no file src/modul.py; did you mean module.py?")
    assert client.call("read_file", path="src").text == "src is a folder; use list_files"


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", ".git/config", "out/passwd"])
@pytest.mark.parametrize("tool", ["read_file", "write_file", "edit_file", "list_files", "grep"])
def test_no_tool_leaves_the_workspace(client: Client, tool: str, path: str) -> None:
    client.call("bash", command="ln -s /etc out")
    extra = {
        "write_file": {"content": "x"},
        "edit_file": {"old": "root", "new": "x"},
        "grep": {"pattern": "root"},
    }.get(tool, {})
    reply = client.call(tool, path=path, **extra)
    assert not reply.ok
    assert "root:" not in reply.text


def test_an_edit_shows_what_changed_and_keeps_the_mode(client: Client) -> None:
    client.call("bash", command="printf 'a\\nb\\nc\\n' > run; chmod +x run")
    reply = client.call("edit_file", path="run", old="b", new="B")
    assert reply.text == "edited run in 1 place\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c"
    assert reply.facts == {"paths_changed": ["run"]}
    assert [entry.mode for entry in client.manifest.files] == [0o755]


def test_a_file_cannot_be_written_where_a_folder_is_or_below_a_file(client: Client) -> None:
    client.call("bash", command="mkdir d; echo f > f; echo x > d/x")
    assert not client.call("write_file", path="d", content="x").ok
    assert not client.call("write_file", path="f/g", content="x").ok
    assert client.paths() == ["d/x", "f"]


def test_files_are_listed_without_caches(client: Client) -> None:
    client.call("bash", command="mkdir -p src node_modules; echo a > src/a.py; echo b > b.md; echo c > node_modules/c")
    assert client.call("list_files").text == "b.md  2 B\nsrc/a.py  2 B"
    assert client.call("list_files", path="src").text == "src/a.py  2 B"
    assert not client.call("list_files", path="b.md").ok


def test_many_files_are_summed_up_by_folder(client: Client) -> None:
    client.call("bash", command="mkdir many; cd many; seq 1 450 | xargs touch; echo x > ../top")
    assert "many/  450 files\ntop  2 B" in client.call("list_files").text


def test_globs_match_in_every_folder_unless_they_name_one(client: Client) -> None:
    client.call("bash", command="mkdir -p a/b; touch a/x.py a/b/y.py z.py z.md")
    assert client.call("glob", pattern="*.py").text == "a/b/y.py\na/x.py\nz.py"
    assert client.call("glob", pattern="a/*.py").text == "a/x.py"
    assert client.call("glob", pattern="a/**/*.py").text == "a/b/y.py\na/x.py"
    assert client.call("glob", pattern="*.rs").text == "[no file matches]"


def test_grep_shows_path_line_and_text(client: Client) -> None:
    client.call(
        "bash",
        command="mkdir -p src node_modules; printf 'one\\ntwo\\n' > src/a; echo two > node_modules/b; printf 'two\\0' > bin",
    )
    assert client.call("grep", pattern="tw+o").text == "src/a:2:two"
    assert client.call("grep", pattern="t.o", path="src").text == "src/a:2:two"
    assert client.call("grep", pattern="t.o", path="src/a").text == "src/a:2:two"
    assert client.call("grep", pattern="three").text == "[no line matches]"
    assert not client.call("grep", pattern="(").ok


def test_a_pattern_that_looks_like_an_option_is_still_a_pattern(client: Client) -> None:
    client.call("write_file", path="a", content="--version\n")
    assert client.call("grep", pattern="--version").text == "a:1:--version"
