// Starts the page: who is here, what happens, where one is.

import * as api from "./api.js";
import { startComposer } from "./composer.js";
import { byId, h, toast } from "./dom.js";
import { arrived, load, startList } from "./list.js";
import { tell } from "./messages.js";
import { startPanel } from "./panel.js";
import { startSidebar } from "./sidebar.js";
import { channel, channelName, emit, forget, isDirect, isThread, keep, may, on, remember, remembered, state } from "./state.js";

const FIRST_USER = "1290000000000000100";
const TYPING_LASTS = 10_000;
let stopListening = () => undefined;

async function enter(user) {
  stopListening();
  api.actAs(user);
  const seen = await api.get("/state").catch((refusal) => (user === FIRST_USER ? Promise.reject(refusal) : null));
  if (!seen) return enter(FIRST_USER);
  learn(seen);
  let wasConnected = false;
  stopListening = api.listen(user, happened, async (connected) => {
    byId("connection").hidden = connected;
    if (!connected) return;
    if (wasConnected) learn(await api.get("/state"));
    wasConnected = true;
    await catchUp();
  });
  const wanted = location.hash.slice(1) || remembered("channel");
  open(channel(wanted) ? wanted : [...state.channels.values()].find((found) => found.type === 0).id);
}

function learn(seen) {
  state.me = seen.me;
  state.users = new Map(seen.users.map((user) => [user.id, user]));
  state.botId = seen.bot_id;
  state.ownerId = seen.guild.owner_id;
  state.channels = new Map(seen.channels.map((found) => [found.id, found]));
  state.directs = new Map(seen.directs.map((found) => [found.id, found]));
  state.commands = seen.commands;
  state.roles = seen.guild.roles;
  state.page = seen.page;
  state.fileLimit = seen.file_limit;
  state.messages.clear();
  document.title = seen.page.title;
  emit("channels");
}

/** Once the feed is open: what happened before it was is not told by it. */
async function catchUp() {
  await load();
  emit("messages", state.current);
  emit("run");
}

function open(id) {
  if (!channel(id)) return;
  state.current = id;
  state.unread.delete(id);
  history.replaceState(null, "", `#${id}`);
  remember("channel", id);
  emit("drawer", "");
  drawHeader();
  drawTyping();
  emit("current", id);
}

const HANDLERS = {
  MESSAGE_CREATE(message) {
    keep(message);
    clearTimeout(state.typing.get(message.channel_id)?.get(message.author.id));
    state.typing.get(message.channel_id)?.delete(message.author.id);
    const place = channel(message.channel_id);
    if (place && isThread(place)) place.message_count += 1;
    if (message.channel_id === state.current) { arrived(message); drawTyping(); }
    else { state.unread.add(message.channel_id); emit("channels"); }
    if (message.channel_id === state.current) emit("run");
  },
  MESSAGE_UPDATE(message) {
    keep(message);
    emit("message", message);
    if (message.channel_id === state.current) emit("run");
  },
  MESSAGE_DELETE(gone) {
    forget(gone.channel_id, gone.id);
    emit("messages", gone.channel_id);
  },
  THREAD_CREATE(thread) {
    state.channels.set(thread.id, thread);
    emit("channels");
    const asked = state.messages.get(thread.parent_id)?.get(thread.id);
    if (thread.owner_id === state.botId && asked?.author.id === state.me.id && state.current === thread.parent_id) {
      toast(`${state.users.get(state.botId).global_name} works on it in a thread`, { label: "Open thread", run: () => open(thread.id) });
    }
  },
  THREAD_UPDATE(thread) {
    state.channels.set(thread.id, { ...state.channels.get(thread.id), ...thread });
    emit("channels");
    if (thread.id !== state.current) return;
    drawHeader();
    emit("messages", thread.id);
  },
  THREAD_DELETE(thread) {
    state.channels.delete(thread.id);
    emit("channels");
    if (thread.id === state.current) open(thread.parent_id);
  },
  CHANNEL_CREATE(found) {
    (isDirect(found) ? state.directs : state.channels).set(found.id, found);
    emit("channels");
  },
  TYPING_START(event) {
    if (event.user_id === state.me.id) return;
    const typing = state.typing.get(event.channel_id) || state.typing.set(event.channel_id, new Map()).get(event.channel_id);
    clearTimeout(typing.get(event.user_id));
    typing.set(event.user_id, setTimeout(() => { typing.delete(event.user_id); drawTyping(); }, TYPING_LASTS));
    drawTyping();
  },
};

function happened(event) {
  HANDLERS[event.t]?.(event.d);
}

function drawHeader() {
  const place = channel(state.current);
  const parent = isThread(place) && channel(place.parent_id);
  const drawerButton = (name, label, symbol) => h("button", { type: "button", class: `quiet open-${name}`, "aria-label": label, onclick: () => emit("drawer", name) }, symbol);
  byId("header").replaceChildren(
    drawerButton("sidebar", "Show channels", "☰"),
    h("h1", {}, parent && h("button", { type: "button", class: "crumb", onclick: () => open(parent.id) }, `#${parent.name}`), parent && h("span", { class: "crumb-sign" }, "›"),
      h("span", { class: "place" }, `${isThread(place) ? "" : isDirect(place) ? "@" : "#"}${channelName(place)}`)),
    place.topic && h("span", { class: "topic" }, place.topic) || "",
    isThread(place) && may("may_manage_threads", place) ? h("button", { type: "button", class: "quiet delete-thread", title: "Delete this thread", "aria-label": "Delete this thread", onclick: () => deleteThread(place) }, "🗑") : "",
    drawerButton("panel", "Show the run", "◔ Run"));
}

function deleteThread(thread) {
  if (confirm(`Delete the thread “${thread.name}” with all its messages?`)) tell(() => api.remove(`/channels/${thread.id}`));
}

function drawTyping() {
  const names = [...(state.typing.get(state.current)?.keys() || [])].map((id) => state.users.get(id)?.global_name || "somebody");
  byId("typing").replaceChildren(...(names.length ? [h("span", { class: "dots" }), `${names.join(" and ")} ${names.length > 1 ? "are" : "is"} typing …`] : []));
}

/** On narrow screens channels and run slide over the chat. */
function showDrawer(name) {
  const isOpen = Boolean(name);
  document.body.dataset.drawer = name;
  byId("scrim").hidden = !isOpen;
}

on("open", open);
on("drawer", showDrawer);
on("user", (id) => enter(id));
on("direct", async (id) => {
  const direct = await tell(() => api.post("/directs", { recipient_id: id }));
  if (!direct) return;
  state.directs.set(direct.id, direct);
  emit("channels");
  open(direct.id);
});
byId("scrim").addEventListener("click", () => showDrawer(""));
addEventListener("hashchange", () => open(location.hash.slice(1)));
addEventListener("keydown", (event) => {
  if (event.key === "Escape") showDrawer("");
  if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) step(event);
});

/** Alt and an arrow go to the next channel of the list. */
function step(event) {
  event.preventDefault();
  const ids = [...document.querySelectorAll("#sidebar [data-channel]")].map((entry) => entry.dataset.channel);
  const next = ids.indexOf(state.current) + (event.key === "ArrowDown" ? 1 : -1);
  open(ids[(next + ids.length) % ids.length]);
}

startSidebar();
startList();
startComposer();
startPanel();
showDrawer("");
enter(new URLSearchParams(location.search).get("as") || remembered("user", FIRST_USER)).catch((failure) => toast(failure.message));
