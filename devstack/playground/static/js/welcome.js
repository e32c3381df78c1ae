// The hint for newcomers: what this is, and a task to try.

import { h } from "./dom.js";
import { withNames } from "./mentions.js";
import { emit, remember, remembered, state } from "./state.js";

/** The hint at the beginning of the first channel, until it is put away. */
export function welcome(place, changed) {
  const first = [...state.channels.values()].find((found) => found.type === 0);
  if (!first || place.id !== first.id || remembered("welcomed")) return null;
  const { page } = state;
  const bot = state.users.get(state.botId);
  const dismiss = () => { remember("welcomed", "yes"); changed(); };
  const tryIt = () => emit("compose", withNames(page.demo_prompt));
  return h("section", { class: "welcome", "aria-label": "Welcome" },
    h("h3", {}, page.title),
    h("p", {}, page.intro),
    page.model_note && h("p", { class: "note" }, page.model_note),
    h("ol", {},
      h("li", {}, `Mention @${bot.username} with a task. It answers in a thread and shows its work in one live card.`),
      h("li", {}, "Follow the run in the panel beside the thread. 🛑 on the card stops it."),
      h("li", {}, "At the end it shows a commit. 👍 merges it, 👎 drops it.")),
    h("div", { class: "welcome-actions" },
      page.demo_prompt && h("button", { type: "button", class: "button primary", id: "try-demo", onclick: tryIt }, "Try the demo task"),
      h("button", { type: "button", class: "button secondary", onclick: dismiss }, "Hide this")));
}
