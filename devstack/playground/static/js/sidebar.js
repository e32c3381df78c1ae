// Channels, threads, direct messages, and who one is.

import { avatar, byId, h } from "./dom.js";
import { channelName, emit, isDirect, isThread, on, remember, state, threadsOf } from "./state.js";

const THREADS_SHOWN = 12;

export function startSidebar() {
  on("channels", draw);
  on("current", draw);
}

function draw() {
  const texts = [...state.channels.values()].filter((found) => !isThread(found)).sort((a, b) => a.position - b.position);
  const bot = state.users.get(state.botId);
  const directs = [...state.directs.values()].filter(isDirect);
  byId("sidebar").replaceChildren(
    h("div", { class: "guild" }, h("span", { class: "guild-name" }, state.page.title), h("button", { type: "button", class: "quiet close-drawer", "aria-label": "Close channels", onclick: () => emit("drawer", "") }, "×")),
    h("div", { class: "channels" },
      h("h2", {}, "Channels"),
      h("ul", {}, texts.map((found) => h("li", {}, entry(found), threadList(found)))),
      h("h2", {}, "Direct messages"),
      h("ul", {}, directs.map((found) => h("li", {}, entry(found))),
        !directs.length && h("li", {}, h("button", { type: "button", class: "channel", onclick: () => emit("direct", bot.id) }, h("span", { class: "sign" }, "@"), bot.global_name)))),
    whoAmI());
}

function threadList(parent) {
  const threads = threadsOf(parent.id).slice(0, THREADS_SHOWN);
  return threads.length ? h("ul", { class: "threads", "aria-label": `Threads of ${parent.name}` }, threads.map((thread) => h("li", {}, entry(thread)))) : null;
}

function entry(found) {
  const isCurrent = found.id === state.current;
  const sign = isDirect(found) ? "@" : isThread(found) ? "" : "#";
  return h("button", {
    type: "button", class: ["channel", isCurrent && "current", state.unread.has(found.id) && "unread"].filter(Boolean).join(" "),
    "aria-current": isCurrent ? "page" : null, "data-channel": found.id, title: channelName(found), onclick: () => emit("open", found.id),
  }, sign && h("span", { class: "sign" }, sign), h("span", { class: "channel-name" }, channelName(found)));
}

function whoAmI() {
  const people = [...state.users.values()].filter((user) => !user.bot);
  const choice = h("select", {
    id: "who", "aria-label": "Act as",
    onchange: () => { remember("user", choice.value); emit("user", choice.value); },
  }, people.map((user) => h("option", { value: user.id, selected: user.id === state.me.id }, `${user.global_name}${user.id === state.ownerId ? " (owner)" : " (member)"}`)));
  return h("div", { class: "who" }, avatar(state.me), h("label", { for: "who" }, "You are"), choice);
}
