import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
from selenium.webdriver.common.keys import Keys

from devstack.discord.rules import Rules, relaxed
from devstack.discord.seed import ADA_ID, BOT_ID, GENERAL_ID, LINUS_ID, WORKSHOP_ID
from devstack.discord.server import DiscordServer
from devstack.playground.graph import draw
from devstack.playground.site import Page, site_routes
from tests.support.browser import BROWSER, DRIVER, MISSING, Screen, chromium
from tests.support.discord import rest
from tests.support.endpoint import endpoint
from tests.support.eventually import eventually

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not (DRIVER and BROWSER), reason=MISSING)]

PAGE = Page(
    model_note="The model is scripted.", demo_prompt=f"<@{BOT_ID}> refactor the authentication module to use JWT"
)
MESSAGES = f"/channels/{GENERAL_ID}/messages"
ROOT = Path(__file__).resolve().parents[2]

type Json = dict[str, Any]


class FixedRuns:
    """Runs as a test puts them."""

    def __init__(self) -> None:
        self.by_thread: dict[str, Json] = {}

    def observe(self, thread_id: str, execution_id: str | None = None) -> Json:
        """A thread's runs."""
        return self.by_thread.get(thread_id, {"runs": [], "run": None})


@pytest.fixture(scope="module")
def screen() -> Iterator[Screen]:
    with chromium() as driver:
        yield Screen(driver)


@contextmanager
def playground(runs: FixedRuns | None = None, rules: Rules | None = None) -> Iterator[DiscordServer]:
    pages = lambda parts: site_routes(parts, PAGE, runs)  # noqa: E731 - a name for the argument
    with DiscordServer(data=None, port=0, rules=rules or relaxed(), pages=pages) as server:
        yield server


@contextmanager
def application(server: DiscordServer, answer: Callable[[Json], tuple[int, Any]]) -> Iterator[None]:
    """The bot's endpoint; the checks of its signatures are another test's matter."""
    pings = 0

    def respond(body: Json, *_: object) -> tuple[int, Any]:
        nonlocal pings
        if body["type"] == 1:
            pings += 1
            return (200, {"type": 1}) if pings == 1 else (401, {})
        return answer(body)

    with endpoint(respond) as served:
        server.set_interactions_endpoint(served.url)
        yield


def bot_sends(server: DiscordServer, channel: str = GENERAL_ID, **body: Any) -> str:
    with rest(server) as client:
        answer = client.post(f"/channels/{channel}/messages", json=body)
        assert answer.is_success, answer.text
        return str(answer.json()["id"])


def start_thread(server: DiscordServer, name: str = "Auth with JWT") -> str:
    message = server.post(ADA_ID, GENERAL_ID, f"<@{BOT_ID}> refactor").id
    with rest(server) as client:
        return str(client.post(f"{MESSAGES}/{message}/threads", json={"name": name}).json()["id"])


def buttons(*labels: str, **fields: Any) -> list[Json]:
    row = [{"type": 2, "style": 1, "label": label, "custom_id": label.lower(), **fields} for label in labels]
    return [{"type": 1, "components": row}]


def test_a_message_is_written_and_seen(screen: Screen) -> None:
    with playground() as server:
        screen.visit(server.url)
        screen.write("Hello **world**" + Keys.ENTER)
        assert screen.see(".message strong").text == "world"
        assert [message.content for message in server.messages(GENERAL_ID)] == ["Hello **world**"]
        assert screen.errors() == []


def test_shift_and_enter_breaks_the_line(screen: Screen) -> None:
    with playground() as server:
        screen.visit(server.url)
        screen.write("one" + Keys.SHIFT + Keys.ENTER + Keys.NULL + "two" + Keys.ENTER)
        screen.see(".message", "two")
        assert [message.content for message in server.messages(GENERAL_ID)] == ["one\ntwo"]


def test_the_demo_button_fills_the_composer_and_the_hint_can_be_put_away(screen: Screen) -> None:
    with playground() as server:
        screen.visit(server.url)
        screen.see(".welcome", "The model is scripted.")
        screen.click("#try-demo")
        assert screen.see("#text").get_property("value") == "@nepnep refactor the authentication module to use JWT"
        screen.see("#text").send_keys(Keys.ENTER)
        screen.see(".message .mention", "@nepnep")
        assert server.messages(GENERAL_ID)[0].content == PAGE.demo_prompt
        screen.click(".welcome button", "Hide this")
        screen.not_see(".welcome")
        screen.driver.refresh()
        screen.see(".message")
        screen.not_see(".welcome")


def test_a_mention_is_completed_by_keyboard(screen: Screen) -> None:
    with playground() as server:
        screen.visit(server.url)
        box = screen.write("@ne")
        screen.see("#suggestions li", "nepnep")
        box.send_keys(Keys.TAB + "hi" + Keys.ENTER)
        screen.see(".message .mention", "@nepnep")
        (message,) = server.messages(GENERAL_ID)
    assert (message.content, message.mentions) == (f"<@{BOT_ID}> hi", (BOT_ID,))


def test_an_embed_with_buttons_and_reactions_is_rendered(screen: Screen) -> None:
    embed = {
        "title": "Turn 1/20",
        "description": "reading `auth.py`",
        "color": 0x57F287,
        "fields": [{"name": "Model", "value": "gpt", "inline": True}],
        "footer": {"text": "react to stop"},
    }
    with playground() as server:
        screen.visit(server.url)
        message = bot_sends(server, embeds=[embed], components=buttons("Stop"))
        server.react(LINUS_ID, GENERAL_ID, message, "🛑")
        shown = screen.see(".embed")
        assert [part.text for part in shown.find_elements("css selector", ":scope > *")] == [
            "Turn 1/20",
            "reading auth.py",
            "Model\ngpt",
            "react to stop",
        ]
        assert "rgb(87, 242, 135)" in shown.value_of_css_property("border-left-color").replace("rgba", "rgb").replace(
            ", 1)", ")"
        )
        assert screen.see(".components .button.primary").text == "Stop"
        assert screen.see(".reaction").get_attribute("title") == "Linus"
        assert screen.errors() == []


def test_a_live_edit_changes_the_message_in_place(screen: Screen) -> None:
    with playground() as server:
        screen.visit(server.url)
        first, last = bot_sends(server, content="turn 1"), bot_sends(server, content="the end")
        screen.see(".message", "turn 1")
        screen.script("document.querySelector('#messages').dataset.same = 'yes'")
        with rest(server) as client:
            client.patch(f"{MESSAGES}/{first}", json={"content": "turn 2"})
        screen.see(f'[data-id="{first}"] .content', "turn 2 (edited)")
        order = screen.script("return [...document.querySelectorAll('#messages [data-id]')].map(e => e.dataset.id)")
        assert order == [first, last]
        assert screen.script("return document.querySelector('#messages').dataset.same") == "yes"


def test_a_pressed_button_reaches_the_application_and_its_answer_is_shown(screen: Screen) -> None:
    pressed: list[Json] = []

    def answer(body: Json) -> tuple[int, Any]:
        pressed.append(body)
        return 200, {"type": 7, "data": {"content": "Stopped", "components": []}}

    with playground() as server, application(server, answer):
        screen.visit(server.url)
        bot_sends(server, content="Working", components=buttons("Stop"))
        screen.click("[data-custom-id=stop]")
        screen.see(".message .content", "Stopped")
        screen.not_see("[data-custom-id=stop]")
    assert [(body["data"]["custom_id"], body["member"]["user"]["id"]) for body in pressed] == [("stop", ADA_ID)]


def test_a_failed_interaction_is_told_beside_its_button(screen: Screen) -> None:
    with playground() as server, application(server, lambda _: (500, {})):
        screen.visit(server.url)
        bot_sends(server, content="Working", components=buttons("Stop"))
        screen.click("[data-custom-id=stop]")
        screen.see(".failure", "This interaction failed")


def test_a_button_is_blocked_while_its_answer_is_awaited(screen: Screen) -> None:
    release = Event()

    def answer(_: Json) -> tuple[int, Any]:
        release.wait(5)
        return 200, {"type": 6}

    with playground() as server, application(server, answer):
        screen.visit(server.url)
        bot_sends(server, content="Working", components=buttons("Stop"))
        screen.click("[data-custom-id=stop]")
        assert not screen.see("[data-custom-id=stop].busy").is_enabled()
        release.set()
        eventually(lambda: screen.see("[data-custom-id=stop]").is_enabled())


def test_a_disabled_button_is_shown_as_such(screen: Screen) -> None:
    with playground() as server:
        screen.visit(server.url)
        bot_sends(server, content="Done", components=buttons("Stop", disabled=True))
        assert not screen.see("[data-custom-id=stop]").is_enabled()


def test_an_ephemeral_answer_is_marked_and_can_be_dismissed(screen: Screen) -> None:
    answer = {"type": 4, "data": {"content": "Not allowed", "flags": 64}}
    with playground() as server, application(server, lambda _: (200, answer)):
        screen.visit(server.url)
        bot_sends(server, content="Working", components=buttons("Merge"))
        screen.click("[data-custom-id=merge]")
        screen.see(".message.ephemeral", "Only you can see this")
        screen.click(".ephemeral-note button")
        screen.not_see(".message.ephemeral")


def test_reactions_are_toggled_by_click_and_by_the_quick_bar(screen: Screen) -> None:
    with playground() as server:
        screen.visit(server.url)
        message = bot_sends(server, content="Commit")
        with rest(server) as client:
            client.put(f"{MESSAGES}/{message}/reactions/👍/@me")
        screen.click(".reaction", "1")
        screen.see(".reaction.mine", "2")
        screen.click(".reaction.mine")
        screen.see(".reaction:not(.mine)", "1")
        screen.hover(".message", "Commit")
        screen.click('.toolbar [aria-label="React with 👎"]')
        screen.see('.reaction.mine[data-emoji="👎"]', "1")
        screen.hover(".message", "Commit")
        screen.click('.toolbar [aria-label="More reactions"]')
        screen.click(".emoji-picker button", "🎉")
        screen.see('.reaction.mine[data-emoji="🎉"]', "1")
        (stored,) = server.messages(GENERAL_ID)
    assert [(r["emoji"], r["users"]) for r in stored.reactions] == [
        ("👍", [BOT_ID]),
        ("👎", [ADA_ID]),
        ("🎉", [ADA_ID]),
    ]


def test_files_go_up_and_come_down(screen: Screen, tmp_path: Path) -> None:
    note = tmp_path / "notes.txt"
    note.write_text("first line\n<b>second</b> line\n", encoding="utf-8")
    with playground() as server:
        screen.visit(server.url)
        screen.driver.find_element("css selector", "input[type=file]").send_keys(str(note))
        screen.see(".pending-file", "notes.txt")
        screen.write("please read" + Keys.ENTER)
        screen.see(".file", "notes.txt")
        screen.click(".file button", "Show")
        assert screen.see(".preview pre").text == "first line\n<b>second</b> line"
        link = screen.see(".file a.download")
        assert link.get_attribute("download") == "notes.txt"
        assert httpx.get(str(link.get_property("href"))).content == note.read_bytes()
        (stored,) = server.messages(GENERAL_ID)
        assert len(stored.attachments) == 1
        assert screen.errors() == []


def test_files_are_taken_from_a_drop_and_from_the_clipboard(screen: Screen) -> None:
    give = """
        const [selector, kind, name] = arguments;
        const data = new DataTransfer();
        data.items.add(new File(["x"], name, {type: "text/plain"}));
        const event = kind === "drop"
          ? new DragEvent("drop", {bubbles: true, cancelable: true, dataTransfer: data})
          : new ClipboardEvent("paste", {bubbles: true, cancelable: true, clipboardData: data});
        document.querySelector(selector).dispatchEvent(event);
    """
    with playground() as server:
        screen.visit(server.url)
        screen.script(give, "#messages", "drop", "dropped.txt")
        screen.script(give, "#text", "paste", "pasted.txt")
        screen.see(".pending-file", "dropped.txt")
        screen.see(".pending-file", "pasted.txt")
        screen.see("#text").send_keys(Keys.ENTER)
        screen.see(".file", "pasted.txt")


def test_a_file_over_the_limit_is_refused_before_it_is_sent(screen: Screen, tmp_path: Path) -> None:
    big = tmp_path / "big.bin"
    big.write_bytes(b"x" * 2000)
    with playground(rules=Rules(file_size=1000)) as server:
        screen.visit(server.url)
        screen.driver.find_element("css selector", "input[type=file]").send_keys(str(big))
        screen.see(".toast", "big.bin is larger than 1000 B")
        screen.not_see(".pending-file")


ATTACKS = (
    "<script>window.pwned = 1</script>",
    "<img src=x onerror='window.pwned = 1'>",
    "[click](javascript:window.pwned=1)",
    "<svg onload=window.pwned=1>",
    "```html\n</code></pre><script>window.pwned = 1</script>\n```",
    "||<iframe srcdoc='<script>parent.pwned=1</script>'>||",
    "**<b onmouseover=window.pwned=1>bold</b>**",
    '[a](https://example.org/"onmouseover="window.pwned=1)',
    "`</code><script>window.pwned=1</script>`",
    "> <object data='javascript:window.pwned=1'>",
)


@pytest.mark.parametrize("attack", ATTACKS)
def test_hostile_text_is_shown_as_text(screen: Screen, attack: str) -> None:
    with playground() as server:
        screen.visit(server.url)
        server.post(LINUS_ID, GENERAL_ID, attack)
        short = attack.replace("\n", " ")[:100]
        embed = {"title": short, "description": attack, "fields": [{"name": short, "value": attack}]}
        bot_sends(server, embeds=[embed], components=buttons(attack[:80]))
        start_thread(server, short)
        screen.see(".thread-chip")
        screen.see(".embed-title")
        hostile = "script:not([src]), iframe, object, svg[onload], [onerror], [onmouseover], a[href^='javascript:']"
        assert screen.script("return document.querySelectorAll(arguments[0]).length", f"body :is({hostile})") == 0
        assert screen.script("return window.pwned === undefined")


def test_the_page_s_policy_forbids_inline_script(screen: Screen) -> None:
    inject = """
        addEventListener("securitypolicyviolation", (event) => { window.violated = event.effectiveDirective; });
        const script = document.createElement("script");
        script.textContent = "window.pwned = 1";
        document.body.append(script);
    """
    with playground() as server:
        screen.visit(server.url)
        screen.script(inject)
        assert eventually(lambda: screen.script("return window.violated")) == "script-src-elem"
        assert screen.script("return window.pwned === undefined")


def test_markdown_is_rendered_as_discord_does(screen: Screen) -> None:
    text = "\n".join(
        [
            "# Title",
            "**bold** *italic* _also_ __under__ ~~gone~~ `code` \\*plain\\*",
            "- one",
            "- two",
            "1. first",
            "> quoted",
            "||secret|| [named](https://example.org/a) https://example.org/b?c=1.",
            "snake_case_stays",
            "```python",
            "def f(): return 1 < 2",
            "```",
        ]
    )
    with playground() as server:
        screen.visit(server.url)
        server.post(LINUS_ID, GENERAL_ID, text)
        content = screen.see(".message .content", "Title")
        shown = {
            tag: [element.text for element in content.find_elements("css selector", tag)]
            for tag in ("h3", "strong", "em", "u", "s", "ul li", "ol li", "blockquote", "pre", ".language")
        }
        links = [link.get_attribute("href") for link in content.find_elements("css selector", "a")]
        screen.click(".spoiler")
        assert screen.see(".spoiler.shown").text == "secret"
    assert shown == {
        "h3": ["Title"],
        "strong": ["bold"],
        "em": ["italic", "also"],
        "u": ["under"],
        "s": ["gone"],
        "ul li": ["one", "two"],
        "ol li": ["first"],
        "blockquote": ["quoted"],
        "pre": ["def f(): return 1 < 2"],
        ".language": ["python"],
    }
    assert links == ["https://example.org/a", "https://example.org/b?c=1"]
    assert "*plain*" in content.text
    assert "snake_case_stays" in content.text


def test_own_messages_are_edited_with_the_arrow_key_and_deleted(screen: Screen) -> None:
    with playground() as server:
        screen.visit(server.url)
        box = screen.write("helo" + Keys.ENTER)
        screen.see(".message", "helo")
        box.send_keys(Keys.ARROW_UP)
        screen.see(".editing textarea").send_keys(Keys.BACKSPACE + "lo" + Keys.ENTER)
        screen.see(".message .content", "hello (edited)")
        screen.hover(".message", "hello")
        screen.click('.toolbar [aria-label="Delete"]')
        screen.not_see(".message")
        assert server.messages(GENERAL_ID) == []


def test_everything_about_a_message_is_reached_by_keyboard(screen: Screen) -> None:
    with playground() as server:
        screen.visit(server.url)
        bot_sends(server, content="older")
        bot_sends(server, content="newer")
        screen.see(".message", "newer")
        screen.see("#messages").send_keys(Keys.ARROW_UP)
        screen.driver.switch_to.active_element.send_keys(Keys.ARROW_UP)
        screen.driver.switch_to.active_element.send_keys(Keys.TAB)
        screen.driver.switch_to.active_element.send_keys(Keys.ENTER)
        screen.see('.reaction.mine[data-emoji="👍"]')
        older, newer = server.messages(GENERAL_ID)
    assert ([r["emoji"] for r in older.reactions], newer.reactions) == (["👍"], ())


def test_what_is_open_stays_open_when_a_message_arrives(screen: Screen) -> None:
    with playground() as server:
        screen.visit(server.url)
        with rest(server) as client:
            client.post(MESSAGES, files={"files[0]": ("log.txt", b"all of it", "text/plain")})
        screen.click(".file button", "Show")
        screen.see(".preview pre", "all of it")
        bot_sends(server, content="next")
        screen.see(".message", "next")
        assert screen.see(".preview pre").text == "all of it"


def test_a_renamed_thread_is_called_by_its_new_name_everywhere(screen: Screen) -> None:
    with playground() as server:
        thread = start_thread(server, "first name")
        screen.visit(f"{server.url}/#{thread}")
        with rest(server) as client:
            client.patch(f"/channels/{thread}", json={"name": "second name"})
        screen.see("#header .place", "second name")
        screen.see(".beginning", "second name")
        screen.see("#sidebar .channel", "second name")
        assert screen.see("#text").get_attribute("placeholder") == "Message in second name"


def test_a_deleted_thread_leads_back_to_its_channel(screen: Screen) -> None:
    with playground() as server:
        thread = start_thread(server)
        screen.visit(f"{server.url}/#{thread}")
        screen.click(".delete-thread")
        screen.driver.switch_to.alert.accept()
        screen.see("#header .place", "#general")
        screen.not_see("#sidebar .threads")


def test_a_reply_shows_what_it_answers(screen: Screen) -> None:
    with playground() as server:
        screen.visit(server.url)
        bot_sends(server, content="Which database?")
        screen.hover(".message", "Which database?")
        screen.click('.toolbar [aria-label="Reply"]')
        screen.see("#replying", "nepnep")
        screen.write("Postgres" + Keys.ENTER)
        screen.see(".message .context", "Which database?")
        assert server.messages(GENERAL_ID)[-1].reference is not None


def test_a_thread_of_the_bot_is_offered_and_opens_beside_its_channel(screen: Screen) -> None:
    with playground() as server:
        screen.visit(server.url)
        screen.write(f"@nepnep work{Keys.ENTER}")
        screen.see(".message", "work")
        (message,) = server.messages(GENERAL_ID)
        with rest(server) as client:
            client.post(f"{MESSAGES}/{message.id}/threads", json={"name": "Work"})
        screen.click(".toast button", "Open thread")
        screen.see("#header .place", "Work")
        screen.see(".message.starter", "work")
        bot_sends(server, message.id, content="Starting")
        screen.see(".message", "Starting")
        screen.click(".crumb", "#general")
        screen.see(".thread-chip", "1 message")
        bot_sends(server, message.id, content="More")
        screen.see(f'.channel.unread[data-channel="{message.id}"]')


def test_somebody_s_typing_is_shown_until_the_message_comes(screen: Screen) -> None:
    with playground() as server:
        screen.visit(server.url)
        with rest(server) as client:
            client.post(f"/channels/{GENERAL_ID}/typing")
        screen.see("#typing", "nepnep is typing")
        bot_sends(server, content="here")
        screen.not_see("#typing", "typing")


def test_one_may_act_as_another_person(screen: Screen) -> None:
    with playground() as server:
        screen.visit(server.url)
        screen.click("#who option", "Linus")
        screen.see(".who .avatar", "L")
        screen.write("it is me" + Keys.ENTER)
        screen.see(".message .author", "Linus")
        assert server.messages(GENERAL_ID)[0].author_id == LINUS_ID


def test_a_slash_command_is_offered_and_sent(screen: Screen) -> None:
    sent: list[Json] = []

    def answer(body: Json) -> tuple[int, Any]:
        sent.append(body["data"])
        return 200, {"type": 4, "data": {"content": "All well", "flags": 64}}

    command = {
        "name": "logs",
        "description": "Newest runs",
        "options": [{"name": "count", "type": 4, "description": "n"}],
    }
    with playground() as server, application(server, answer), rest(server) as client:
        client.put(f"/applications/{BOT_ID}/commands", json=[command])
        screen.visit(server.url)
        box = screen.write("/lo")
        screen.see("#suggestions li", "Newest runs")
        box.send_keys(Keys.TAB + "count:3" + Keys.ENTER)
        screen.see(".message.ephemeral", "All well")
    assert sent[0]["options"] == [{"name": "count", "type": 4, "value": 3}]


def test_options_and_their_values_are_offered_one_after_the_other(screen: Screen) -> None:
    sent: list[Json] = []

    def answer(body: Json) -> tuple[int, Any]:
        sent.append(body["data"])
        return 200, {"type": 4, "data": {"content": "Done", "flags": 64}}

    choices = [{"name": name, "value": name} for name in ("quiet", "normal")]
    options = [
        {"name": "level", "type": 3, "description": "how much", "required": True, "choices": choices},
        {"name": "who", "type": 6, "description": "for whom"},
        {"name": "where", "type": 7, "description": "the thread"},
        {"name": "note", "type": 3, "description": "anything"},
    ]
    group = {
        "name": "card",
        "description": "C",
        "options": [{"name": "set", "type": 1, "description": "s", "options": options}],
    }
    with playground() as server, application(server, answer), rest(server) as client:
        client.put(f"/applications/{BOT_ID}/commands", json=[group])
        first = server.post(ADA_ID, GENERAL_ID, "a message")
        thread = client.post(f"/channels/{GENERAL_ID}/messages/{first.id}/threads", json={"name": "Long work"}).json()
        screen.visit(server.url)
        box = screen.write("/ca" + Keys.TAB)
        screen.see("#suggestions li", "how much · required")
        box.send_keys(Keys.TAB + "q" + Keys.TAB)
        screen.see("#suggestions li", "for whom")
        box.send_keys("wh" + Keys.TAB + "li" + Keys.TAB + "where:")
        screen.see("#suggestions li", "#Long work")
        box.send_keys(Keys.TAB + "note:two words" + Keys.ENTER)
        screen.see(".message.ephemeral .context", "/card set")
    values = {option["name"]: option["value"] for option in sent[0]["options"][0]["options"]}
    assert values == {"level": "quiet", "who": LINUS_ID, "where": thread["id"], "note": "two words"}


def test_what_the_server_refuses_is_told_and_nothing_is_lost(screen: Screen) -> None:
    with playground() as server:
        screen.visit(server.url)
        screen.script(
            "const box = document.querySelector('#text'); box.value = 'x'.repeat(2001); box.dispatchEvent(new Event('input'))"
        )
        assert screen.see("#count.over").text == "-1"
        screen.see("#text").send_keys(Keys.ENTER)
        screen.see(".toast", "Must be 2000 or fewer in length.")
        eventually(lambda: len(str(screen.see("#text").get_property("value"))) == 2001)


def test_older_messages_are_loaded_while_scrolling_up(screen: Screen) -> None:
    with playground() as server:
        for number in range(60):
            server.post(ADA_ID, WORKSHOP_ID, f"line {number}")
        screen.visit(f"{server.url}/#{WORKSHOP_ID}")
        screen.see(".message", "line 59")
        assert "line 5\n" not in screen.text()
        screen.script("document.querySelector('#messages').scrollTop = 0")
        screen.see(".beginning", "#workshop")


def test_a_lost_connection_is_told_and_what_was_missed_is_shown(screen: Screen) -> None:
    hold = """
        const Real = WebSocket;
        window.sockets = [];
        window.WebSocket = class extends Real { constructor(...a) { super(...a); window.sockets.push(this); } };
    """
    script = screen.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": hold})
    with playground() as server:
        screen.visit(server.url)
        eventually(lambda: screen.script("return window.sockets[0].readyState === 1"))
        screen.script("window.sockets[0].close()")
        screen.see("#connection", "Reconnecting")
        server.post(LINUS_ID, GENERAL_ID, "while you were away")
        screen.see(".message", "while you were away")
        screen.not_see("#connection")
    screen.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": script["identifier"]})


def a_run(server_thread: str, card: str, **fields: Any) -> Json:
    definition = json.loads((ROOT / "statemachines/sequential_thinking.asl.json").read_text(encoding="utf-8"))
    graph = draw(definition)
    visits = {"Prepare": 1, "Plan": 1, "Turn": 3, "Escalation": 2, "Route": 2}
    run: Json = {
        "execution_id": "m-1",
        "status": "processing",
        "outcome": None,
        "active": True,
        "stopping": False,
        "request": f"<@{BOT_ID}> use JWT",
        "turn": 2,
        "max_turns": 20,
        "rounds": 6,
        "confidence": 83,
        "model": "gpt-5.1-codex-mini",
        "role": "python-coder",
        "cost": {"usd": "0.0132", "partial": True},
        "usage": {"input": 18234, "output": 2210},
        "elapsed_seconds": 95,
        "question": "",
        "commit": None,
        "decision": None,
        "card": {"channel_id": server_thread, "message_id": card},
        "tools": [
            {
                "turn": 1,
                "round": 1,
                "tool": "bash",
                "input": '{"command": "pytest -q"}',
                "output": "1 failed",
                "success": False,
                "duration_ms": 1840,
            }
        ],
        "graph": {
            "machine": "sequential_thinking",
            "status": "Running",
            "current": "Turn",
            "transitions": 9,
            "nodes": [{**asdict(node), "visits": visits.get(node.name, 0)} for node in graph.nodes],
            "edges": [{**asdict(edge), "visits": 0} for edge in graph.edges],
        },
        "approval_graph": None,
    }
    run |= fields
    return {"runs": [run], "run": run}


def test_the_panel_shows_the_run_with_the_current_step_lit(screen: Screen) -> None:
    runs = FixedRuns()
    with playground(runs) as server:
        thread = start_thread(server)
        runs.by_thread[thread] = a_run(thread, bot_sends(server, thread, content="card"))
        screen.visit(f"{server.url}/#{thread}")
        screen.see("#panel .request", "@nepnep use JWT")
        figures = {
            name: screen.see(f"[data-figure='{name}']").text for name in ("turn", "confidence", "model", "cost", "time")
        }
        assert screen.see(".node.current text.name").text == "Turn"
        assert screen.see("[data-state=Turn] .visits").text == "\N{MULTIPLICATION SIGN}3"
        assert "visited" in str(screen.see("[data-state=Plan]").get_attribute("class"))
        assert "visited" not in str(screen.see("[data-state=Evaluate]").get_attribute("class"))
        assert screen.see(".tools summary").text.split("\n") == ["✗", "bash", "pytest -q", "1.8 s"]
        commit = {"sha": "4f2c9d1aa", "branch": "auth-jwt", "message": "Use JWT", "files": ["auth.py"]}
        runs.by_thread[thread] = a_run(
            thread, "1", status="completed", outcome="done", active=False, commit=commit, decision="merge"
        )
        screen.see("#panel .status.good", "done")
        screen.see(".commit", "4f2c9d1")
        screen.see(".commit .status", "merged")
        assert screen.errors() == []
    assert figures == {
        "turn": "2 of 20",
        "confidence": "83%",
        "model": "gpt-5.1-codex-mini",
        "cost": "$0.0132 + unknown",
        "time": "1 min 35 s",
    }


def test_the_panel_s_stop_puts_the_stop_sign_on_the_card(screen: Screen) -> None:
    runs = FixedRuns()
    with playground(runs) as server:
        thread = start_thread(server)
        card = bot_sends(server, thread, content="card")
        runs.by_thread[thread] = a_run(thread, card)
        screen.visit(f"{server.url}/#{thread}")
        screen.click(".stop")
        screen.see('.reaction.mine[data-emoji="🛑"]')


def test_a_phone_shows_chat_first_and_channels_and_run_as_drawers(screen: Screen) -> None:
    runs = FixedRuns()
    with playground(runs) as server:
        thread = start_thread(server)
        card = {"title": "A rather long title of a card that has to wrap on a phone", "description": "x" * 300}
        runs.by_thread[thread] = a_run(thread, bot_sends(server, thread, embeds=[card], components=buttons("A", "B")))
        server.post(ADA_ID, thread, "```\n" + "long code " * 40 + "\n```")
        screen.visit(f"{server.url}/#{thread}", width=390, height=844)
        screen.see(".embed")
        assert screen.script("return document.documentElement.scrollWidth") == 390
        assert screen.script("const m = document.querySelector('#messages'); return m.scrollWidth - m.clientWidth") == 0
        screen.not_see("#sidebar")
        screen.click(".open-panel")
        screen.see("#panel .request")
        screen.click("#panel .close-drawer")
        screen.not_see("#panel .request")
        screen.click(".open-sidebar")
        screen.click("#sidebar .channel", "workshop")
        screen.not_see("#sidebar")
        screen.see("#header .place", "#workshop")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable_in_both_colour_schemes(screen: Screen, scheme: str) -> None:
    contrast = """
        const luminance = (color) => {
          const [r, g, b] = color.match(/[\\d.]+/g).map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const ground = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!c.endsWith(" 0)")) return c; } return "rgb(255, 255, 255)"; };
        return arguments[0].map((selector) => {
          const element = document.querySelector(selector);
          const [a, b] = [luminance(getComputedStyle(element).color), luminance(ground(element))].sort((x, y) => y - x);
          return [selector, (a + 0.05) / (b + 0.05)];
        });
    """
    looked_at = [
        ".content",
        ".author",
        ".topic",
        ".channel.current",
        ".button.primary",
        ".button.danger",
        ".mention",
        ".tag",
        ".embed-title",
        ".field-name",
        ".panel-empty",
    ]
    danger = {"type": 2, "style": 4, "label": "No", "custom_id": "no"}
    with playground() as server:
        server.post(ADA_ID, GENERAL_ID, f"<@{BOT_ID}> hello")
        row = [{"type": 1, "components": [*buttons("Yes")[0]["components"], danger]}]
        bot_sends(server, embeds=[{"title": "t", "fields": [{"name": "n", "value": "v"}]}], components=row)
        screen.visit(server.url, scheme=scheme)
        screen.see(".embed-title")
        screen.see(".panel-empty")
        weak = [(selector, ratio) for selector, ratio in screen.script(contrast, looked_at) if ratio < 4.5]
    assert weak == []


def test_another_site_cannot_act_through_the_browser(screen: Screen) -> None:
    forge = """
        const done = arguments[arguments.length - 1];
        fetch(arguments[0], {method: "POST", mode: "no-cors", body: '{"content": "forged"}'}).then(() => done("sent"), () => done("refused"));
    """
    with playground() as server, playground() as elsewhere:
        target = f"{server.url}/playground/api/channels/{GENERAL_ID}/messages"
        screen.driver.get(f"{elsewhere.url}/playground/icon.svg")
        screen.driver.execute_async_script(forge, target)
        assert server.messages(GENERAL_ID) == []
        with rest(server) as client:
            assert client.get(MESSAGES).json() == []
