import threading

from discord_agent.adapters.llm.mailbox import Mailbox


def test_the_newest_text_counts() -> None:
    mailbox = Mailbox()
    mailbox.put("He")
    mailbox.put("Hello")

    assert mailbox.take(0) == ("Hello", False)
    assert mailbox.take(0) == (None, False)


def test_the_last_text_comes_with_the_end() -> None:
    mailbox = Mailbox()
    mailbox.put("Hello.")
    mailbox.close()

    assert mailbox.take(0) == ("Hello.", True)


def test_whoever_waits_is_woken() -> None:
    mailbox, taken = Mailbox(), list[tuple[str | None, bool]]()
    reader = threading.Thread(target=lambda: taken.append(mailbox.take(60)))
    reader.start()
    mailbox.close()
    reader.join(30)

    assert taken == [(None, True)]
