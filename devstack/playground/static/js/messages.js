// One message as an element: who, when, text, embeds, files, buttons, reactions, and what can be done with it.

import * as api from "./api.js";
import { editInPlace } from "./edit.js";
import { embed } from "./embeds.js";
import { files } from "./files.js";
import { avatar, h, toast } from "./dom.js";
import { components } from "./components.js";
import { pickEmoji } from "./emoji.js";
import { markdown } from "./markdown.js";
import { byAge, channel, emit, forget, isThread, may, state } from "./state.js";

const QUICK = ["👍", "👎", "🛑"];
const THREAD_CREATED = 18, COMMAND = 20, THREAD_STARTER = 21;
const LOADING = 1 << 7;
const GROUP_GAP = 7 * 60 * 1000;

/** Whether a message continues the one before it, so that its author need not be named again. */
export function continues(message, previous) {
  return Boolean(previous) && previous.author.id === message.author.id && previous.type === 0 && message.type === 0 &&
    !previous.ephemeral && !message.ephemeral && !previous.thread &&
    new Date(message.timestamp) - new Date(previous.timestamp) < GROUP_GAP;
}

/** The element of a message. */
export function messageElement(message, previous) {
  if (message.type === THREAD_STARTER) return starter(message);
  if (message.type === THREAD_CREATED) return notice(message);
  const grouped = continues(message, previous);
  const forMe = message.mentions.some((user) => user.id === state.me.id) || message.mention_everyone;
  return h("article", {
    class: ["message", grouped && "grouped", forMe && "for-me", message.ephemeral && "ephemeral"].filter(Boolean).join(" "),
    "data-id": message.id, tabIndex: -1, "aria-label": `${message.author.global_name}: ${message.content.slice(0, 80)}`,
  },
  context(message),
  grouped ? h("span", { class: "side-time", "aria-hidden": "true" }, new Date(message.timestamp).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" })) : avatar(message.author),
  h("div", { class: "body" },
    grouped ? null : heading(message),
    body(message),
    message.embeds.map(embed),
    files(message.attachments),
    components(message),
    reactions(message),
    message.thread && threadChip(message.thread),
    message.ephemeral && ephemeralNote(message)),
  toolbar(message));
}

function body(message) {
  if (message.flags & LOADING) return h("div", { class: "content loading" }, h("span", { class: "dots" }), `${message.author.global_name} is thinking …`);
  if (!message.content) return null;
  const edited = message.edited_timestamp && h("span", { class: "edited", title: `Edited ${full(message.edited_timestamp)}` }, "(edited)");
  return h("div", { class: "content" }, markdown(message.content), edited && [" ", edited]);
}

function heading(message) {
  const { author } = message;
  return h("div", { class: "heading" },
    h("span", { class: "author" }, author.global_name),
    author.bot && h("span", { class: "tag" }, "APP"),
    h("time", { dateTime: message.timestamp, title: full(message.timestamp) }, clock(message)));
}

/** What the message answers. */
function context(message) {
  if (message.type === COMMAND && message.interaction_metadata) {
    return h("div", { class: "context" }, `${message.interaction_metadata.user.global_name} used `, h("b", {}, `/${message.interaction.name}`));
  }
  if (!message.message_reference) return null;
  const target = message.referenced_message;
  if (!target) return h("div", { class: "context" }, "The message answered here was deleted");
  const text = target.content || (target.embeds[0]?.title ?? "a card");
  return h("button", { type: "button", class: "context", onclick: () => reveal(target.id) },
    avatar(target.author, "tiny"), h("b", {}, target.author.global_name), h("span", {}, text.slice(0, 120)));
}

/** Scroll to a message and point it out. */
export function reveal(id) {
  const found = document.querySelector(`#messages [data-id="${CSS.escape(id)}"]`);
  if (!found) return;
  found.scrollIntoView({ block: "center", behavior: "smooth" });
  found.classList.add("pointed");
  setTimeout(() => found.classList.remove("pointed"), 1600);
}

function reactions(message) {
  if (!message.reactions.length) return null;
  return h("div", { class: "reactions" }, message.reactions.map((reaction) => {
    const names = reaction.users.map((id) => state.users.get(id)?.global_name || "somebody").join(", ");
    return h("button", {
      type: "button", class: reaction.me ? "reaction mine" : "reaction", "aria-pressed": String(reaction.me),
      title: names, "data-emoji": reaction.emoji.name, onclick: () => toggleReaction(message, reaction.emoji.name),
    }, h("span", { class: "emoji" }, reaction.emoji.name), h("span", { class: "count" }, String(reaction.users.length)));
  }));
}

/** Add or take back one's own reaction. */
export async function toggleReaction(message, emoji) {
  const mine = message.reactions.some((reaction) => reaction.emoji.name === emoji && reaction.me);
  const path = `${path_(message)}/reactions/${encodeURIComponent(emoji)}`;
  await tell(() => (mine ? api.remove(path) : api.put(path)));
}

function toolbar(message) {
  if (message.ephemeral) return null;
  const act = (label, symbol, run) => h("button", { type: "button", title: label, "aria-label": label, onclick: run }, symbol);
  const isMine = message.author.id === state.me.id;
  const place = channel(message.channel_id);
  return h("div", { class: "toolbar", role: "group", "aria-label": "Message actions" },
    QUICK.map((emoji) => act(`React with ${emoji}`, emoji, () => toggleReaction(message, emoji))),
    act("More reactions", "😀", (event) => pickEmoji(event.currentTarget, (emoji) => toggleReaction(message, emoji))),
    act("Reply", "↩️", () => emit("reply", message)),
    !isThread(place) && !message.thread && place.type === 0 && act("Start a thread", "🧵", () => startThread(message)),
    isMine && act("Edit", "✏️", () => editInPlace(message)),
    (isMine || may("may_manage_messages", place)) && act("Delete", "🗑️", () => tell(() => api.remove(path_(message)))));
}

async function startThread(message) {
  const name = message.content.replace(/<@!?\d+>/g, "").trim().slice(0, 60) || "Thread";
  const thread = await tell(() => api.post(`/channels/${message.channel_id}/threads`, { message_id: message.id, name }));
  if (thread) emit("open", thread.id);
}

function threadChip(thread) {
  const known = channel(thread.id) || thread;
  const inside = known.message_count - 1;
  return h("button", { type: "button", class: "thread-chip", onclick: () => emit("open", thread.id) },
    h("span", { class: "thread-name" }, known.name), h("span", { class: "thread-more" }, inside > 0 ? `${inside} ${inside === 1 ? "message" : "messages"} ›` : "Open ›"));
}

function starter(message) {
  const target = message.referenced_message;
  if (!target) return h("div", { class: "notice", "data-id": message.id }, "The message this thread started on was deleted");
  const element = messageElement({ ...target, reactions: [], thread: null, ephemeral: true, mentions: target.mentions || [] });
  element.classList.remove("ephemeral");
  element.classList.add("starter");
  element.dataset.id = message.id;
  element.querySelector(".ephemeral-note")?.remove();
  return element;
}

function notice(message) {
  const id = message.message_reference.channel_id;
  return h("div", { class: "notice", "data-id": message.id }, `${message.author.global_name} started a thread: `,
    h("button", { type: "button", class: "link", onclick: () => emit("open", id) }, message.content));
}

function ephemeralNote(message) {
  const dismiss = () => { forget(message.channel_id, message.id); emit("messages", message.channel_id); };
  return h("div", { class: "ephemeral-note" }, "👁 Only you can see this · ", h("button", { type: "button", class: "link", onclick: dismiss }, "Dismiss"));
}

/** Run an action; what the server refuses is shown. */
export async function tell(action) {
  try {
    return await action();
  } catch (refusal) {
    toast(refusal.message);
    return null;
  }
}

const path_ = (message) => `/channels/${message.channel_id}/messages/${message.id}`;
const clock = (message) => new Date(message.timestamp).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
const full = (text) => new Date(text).toLocaleString();

/** The newest message of one's own that can be edited. */
export function lastOwn(messages) {
  return messages.filter((message) => message.author.id === state.me.id && !message.ephemeral).sort((a, b) => byAge(b.id, a.id))[0];
}
