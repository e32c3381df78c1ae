// Writing: text, files, replies, mentions and slash commands.

import * as api from "./api.js";
import { read } from "./commands.js";
import { byId, h, icon, toast } from "./dom.js";
import { editInPlace } from "./edit.js";
import { size } from "./files.js";
import { withIds } from "./mentions.js";
import { lastOwn, tell } from "./messages.js";
import { channel, channelName, emit, isThread, on, sorted, state } from "./state.js";
import { suggest } from "./suggest.js";

const LIMIT = 2000, TYPING_EVERY = 8000;
let pending = [], replyTo = null, lastTyping = 0, suggestions;

export function startComposer() {
  const form = byId("composer");
  const box = h("textarea", { id: "text", rows: 1, "aria-label": "Message", spellcheck: true });
  const picker = h("input", { type: "file", multiple: true, hidden: true, onchange: () => { addFiles(picker.files); picker.value = ""; } });
  const attach = h("button", { type: "button", class: "attach", title: "Attach files", "aria-label": "Attach files", onclick: () => picker.click() }, icon("plus"));
  const count = h("span", { id: "count", "aria-live": "polite" });
  const send = h("button", { type: "submit", class: "send", title: "Send", "aria-label": "Send" }, icon("send"));
  form.append(h("div", { id: "replying", hidden: true }), h("div", { id: "pending", hidden: true }), h("div", { class: "line" }, attach, picker, box, count, send));
  suggestions = suggest(form, box);
  form.addEventListener("submit", (event) => { event.preventDefault(); submit(); });
  box.addEventListener("input", () => { fit(); announceTyping(); });
  box.addEventListener("keydown", onKey);
  box.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) { event.preventDefault(); addFiles(event.clipboardData.files); }
  });
  startDropping();
  on("current", () => { stopReply(); box.placeholder = placeholder(); if (!matchMedia("(pointer: coarse)").matches) box.focus(); });
  on("channels", () => { box.placeholder = placeholder(); });
  on("reply", (message) => { replyTo = message; drawReply(); box.focus(); });
  on("compose", (text) => { box.value = text; fit(); box.focus(); box.setSelectionRange(text.length, text.length); });
}

function onKey(event) {
  const box = event.target;
  if (suggestions.handles(event)) return;
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); submit(); }
  else if (event.key === "Escape") stopReply();
  else if (event.key === "ArrowUp" && !box.value) {
    const last = lastOwn(sorted(state.current));
    if (last) { event.preventDefault(); editInPlace(last); }
  }
}

function fit() {
  const box = byId("text");
  box.style.height = "auto";
  box.style.height = `${Math.min(box.scrollHeight, innerHeight * 0.4)}px`;
  const left = LIMIT - withIds(box.value).length;
  const count = byId("count");
  count.textContent = left < 200 ? String(left) : "";
  count.classList.toggle("over", left < 0);
}

async function submit() {
  const box = byId("text");
  const text = box.value.trim();
  const files = pending, answered = replyTo;
  if (!text && !files.length) return;
  const command = text.startsWith("/") && !files.length ? read(text) : null;
  box.value = ""; pending = []; replyTo = null;
  fit(); drawPending(); drawReply();
  const sent = await tell(() => (command ? runCommand(command) : sendMessage(withIds(text), files, answered)));
  if (sent === null) restore(text, files, answered);
}

function sendMessage(content, files, answered) {
  const body = { content, ...(answered && { message_reference: { message_id: answered.id, fail_if_not_exists: false } }) };
  const path = `/channels/${state.current}/messages`;
  return files.length ? api.postFiles(path, body, files) : api.post(path, body);
}

/** Put back what could not be sent, unless something new was written meanwhile. */
function restore(text, files, answered) {
  const box = byId("text");
  if (!box.value) box.value = text;
  pending = [...files, ...pending];
  replyTo = answered;
  fit(); drawPending(); drawReply();
}

async function runCommand(command) {
  const told = await api.post(`/channels/${state.current}/commands`, command);
  if (told.failed) toast(`/${command.name}: the application did not respond`);
  return told;
}

function announceTyping() {
  if (Date.now() - lastTyping < TYPING_EVERY || !byId("text").value) return;
  lastTyping = Date.now();
  api.post(`/channels/${state.current}/typing`).catch(() => undefined); // A missing indicator hurts nobody.
}

function placeholder() {
  const place = channel(state.current);
  if (!place) return "";
  return isThread(place) ? `Message in ${place.name}` : `Message ${place.type === 1 ? "@" : "#"}${channelName(place)}`;
}

function addFiles(list) {
  for (const file of list) {
    if (file.size > state.fileLimit) toast(`${file.name} is larger than ${size(state.fileLimit)}`);
    else if (pending.length >= 10) toast("A message carries at most 10 files");
    else pending.push(file);
  }
  drawPending();
  byId("text").focus();
}

function drawPending() {
  const tray = byId("pending");
  tray.hidden = !pending.length;
  tray.replaceChildren(...pending.map((file, index) => h("div", { class: "pending-file" },
    h("span", { class: "file-name" }, file.name), h("span", { class: "file-size" }, size(file.size)),
    h("button", { type: "button", class: "quiet", "aria-label": `Remove ${file.name}`, onclick: () => { pending.splice(index, 1); drawPending(); } }, "×"))));
}

function drawReply() {
  const bar = byId("replying");
  bar.hidden = !replyTo;
  if (replyTo) bar.replaceChildren("Replying to ", h("b", {}, replyTo.author.global_name), h("button", { type: "button", class: "quiet", "aria-label": "Do not reply", onclick: stopReply }, "×"));
}

function stopReply() {
  replyTo = null;
  drawReply();
}

function startDropping() {
  const chat = byId("chat");
  const carriesFiles = (event) => [...event.dataTransfer.types].includes("Files");
  chat.addEventListener("dragover", (event) => { if (carriesFiles(event)) { event.preventDefault(); chat.classList.add("dropping"); } });
  chat.addEventListener("dragleave", (event) => { if (!chat.contains(event.relatedTarget)) chat.classList.remove("dropping"); });
  chat.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    chat.classList.remove("dropping");
    addFiles(event.dataTransfer.files);
  });
}
