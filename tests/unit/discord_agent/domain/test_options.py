from discord_agent.domain.options import Option, chosen_request, described


def test_an_option_shows_its_parts_and_leaves_out_what_is_not_there() -> None:
    assert described("Tokens", "Sign them.", pros=("no lookup", "simple"), cons=("no recall",)) == Option(
        "Tokens", "Sign them.\n\n**For:**\n✅ no lookup\n✅ simple\n\n**Against:**\n❌ no recall"
    )
    whole = described("Tokens", "Sign them.", rationale="Fast.", architecture="One key.", best_for="many services")
    assert whole.text == "Sign them.\n\n**Why:** Fast.\n\n**How it is built:** One key.\n\n**Best for:** many services"


def test_at_most_seven_points_are_shown_on_each_side() -> None:
    option = described("Tokens", "Sign them.", pros=[str(number) for number in range(9)], cons=["no"])
    assert option.text.count("✅") == 7


def test_a_chosen_option_is_asked_for_with_the_words_that_led_to_it() -> None:
    request = chosen_request("Log in how?", Option("Tokens", "Sign them."))
    assert request.startswith("Log in how?\n")
    assert request.endswith("Tokens\n\nSign them.")
