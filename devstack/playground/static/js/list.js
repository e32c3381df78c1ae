// The list of messages: loads pages, follows what happens, keeps its place.

import * as api from "./api.js";
import { h, byId } from "./dom.js";
import { messageElement, tell } from "./messages.js";
import { channel, channelName, emit, isThread, keep, on, sorted, state } from "./state.js";
import { welcome } from "./welcome.js";

const NEAR = 120;
let loading = false;

export function startList() {
  const list = byId("messages");
  on("messages", (id) => { if (id === state.current) draw(); });
  on("message", (message) => { if (message.channel_id === state.current) redraw(message); });
  on("current", async () => { draw(); await load(); draw(); toBottom(); });
  on("channels", () => { if (state.current) refreshChips(); });
  list.addEventListener("keydown", walk);
  list.addEventListener("scroll", () => {
    if (list.scrollTop < NEAR) loadOlder();
    if (atBottom()) list.querySelector(".jump")?.remove();
  });
}

/** Load the newest page of the current channel; what arrives meanwhile is newer and stays. */
export async function load() {
  const id = state.current;
  if (!id) return;
  if (!state.messages.has(id)) state.messages.set(id, new Map());
  const before = new Map(state.messages.get(id));
  const page = await tell(() => api.get(`/channels/${id}/messages`));
  if (!page) return;
  const meanwhile = [...state.messages.get(id).values()].filter((message) => before.get(message.id) !== message);
  state.messages.set(id, new Map());
  [...page, ...meanwhile].forEach(keep);
  if (page.length < 50) state.complete.add(id); else state.complete.delete(id);
}

async function loadOlder() {
  const id = state.current;
  const oldest = sorted(id)[0];
  if (loading || state.complete.has(id) || !oldest) return;
  loading = true;
  const page = await tell(() => api.get(`/channels/${id}/messages?before=${oldest.id}`));
  loading = false;
  if (!page) return;
  page.forEach(keep);
  if (page.length < 50) state.complete.add(id);
  const list = byId("messages");
  const before = list.scrollHeight - list.scrollTop;
  draw();
  list.scrollTop = list.scrollHeight - before;
}

function draw() {
  const list = byId("messages");
  const stick = atBottom();
  const messages = sorted(state.current);
  const elements = [];
  let previous = null;
  for (const message of messages) {
    if (!previous || !sameDay(previous, message)) {
      elements.push(dayLine(message));
      previous = null;
    }
    elements.push(messageElement(message, previous));
    previous = message;
  }
  list.replaceChildren(...[head(), ...elements].filter(Boolean));
  if (stick) toBottom();
}

/** Draw one message anew where it stands, so that a live edit moves nothing else. */
function redraw(message) {
  const messages = sorted(state.current);
  const index = messages.findIndex((found) => found.id === message.id);
  const element = byId("messages").querySelector(`[data-id="${CSS.escape(message.id)}"]`);
  if (index < 0 || !element) return draw();
  const stick = atBottom();
  const previous = index > 0 && sameDay(messages[index - 1], message) ? messages[index - 1] : null;
  const fresh = messageElement(messages[index], previous);
  const hadFocus = element === document.activeElement;
  const focused = element.contains(document.activeElement) ? mark(document.activeElement) : null;
  element.replaceWith(fresh);
  if (hadFocus) fresh.focus({ preventScroll: true });
  else if (focused) fresh.querySelector(focused)?.focus({ preventScroll: true });
  if (stick) toBottom();
}

/** How to find a focused control again after its message was drawn anew. */
function mark(control) {
  if (control.dataset.customId) return `[data-custom-id="${CSS.escape(control.dataset.customId)}"]`;
  if (control.dataset.emoji) return `[data-emoji="${CSS.escape(control.dataset.emoji)}"]`;
  return control.ariaLabel ? `[aria-label="${CSS.escape(control.ariaLabel)}"]` : null;
}

/** A new message: appended, so that what is open or selected above stays; pointed to when one reads further up. */
export function arrived(message) {
  if (message.channel_id !== state.current) return;
  const list = byId("messages");
  const stick = atBottom() || message.author.id === state.me.id;
  append(message);
  if (stick) toBottom();
  else if (!list.querySelector(".jump")) {
    list.append(h("button", { type: "button", class: "jump", onclick: toBottom }, "New messages ↓"));
  }
}

function append(message) {
  const list = byId("messages");
  const [previous, newest] = sorted(state.current).slice(-2);
  const follows = newest?.id === message.id && list.querySelector(`[data-id="${CSS.escape(previous.id)}"]`);
  if (!follows || list.querySelector(`[data-id="${CSS.escape(message.id)}"]`)) return draw();
  if (sameDay(previous, message)) list.append(messageElement(message, previous));
  else list.append(dayLine(message), messageElement(message, null));
}

/** The arrow keys walk from message to message; Tab then reaches what can be done with one. */
function walk(event) {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  const isPlace = event.target.id === "messages" || event.target.matches(".message");
  if (!step || !isPlace || event.altKey) return;
  event.preventDefault();
  const all = [...byId("messages").querySelectorAll(".message")];
  const at = all.indexOf(event.target);
  const next = all[at < 0 ? all.length - 1 : Math.max(0, Math.min(all.length - 1, at + step))];
  next?.focus();
}

function refreshChips() {
  for (const message of sorted(state.current)) if (message.thread) redraw(message);
}

function head() {
  const place = channel(state.current);
  if (!place || !state.complete.has(place.id)) return null;
  const title = isThread(place) ? `Thread: ${place.name}` : place.type === 1 ? channelName(place) : `#${place.name}`;
  const text = isThread(place) ? "The run of this thread is shown in the panel beside it." : place.topic || "The beginning of this conversation.";
  return h("div", { class: "beginning" }, h("h2", {}, title), h("p", {}, text), welcome(place, () => emit("messages", place.id)));
}

function dayLine(message) {
  const day = new Date(message.timestamp).toLocaleDateString([], { weekday: "long", day: "numeric", month: "long", year: "numeric" });
  return h("div", { class: "day", role: "separator" }, h("span", {}, day));
}

const sameDay = (a, b) => new Date(a.timestamp).toDateString() === new Date(b.timestamp).toDateString();

function atBottom() {
  const list = byId("messages");
  return list.scrollHeight - list.scrollTop - list.clientHeight < NEAR;
}

export function toBottom() {
  const list = byId("messages");
  list.scrollTop = list.scrollHeight;
  list.querySelector(".jump")?.remove();
}
