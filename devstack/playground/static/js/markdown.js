// Discord's Markdown as elements. User text becomes text nodes; only http and https links become links.

import { h } from "./dom.js";
import { channel, channelName, state } from "./state.js";

const INLINE = [
  [/\\([^\w\s])/y, (m) => m[1]],
  [/(`+)([^`]|[^`][\s\S]*?[^`])\1(?!`)/y, (m) => h("code", {}, m[2].trim() || m[2])],
  [/\*\*([\s\S]+?)\*\*(?!\*)/y, (m) => h("strong", {}, inline(m[1]))],
  [/__([\s\S]+?)__(?!_)/y, (m) => h("u", {}, inline(m[1]))],
  [/~~([\s\S]+?)~~/y, (m) => h("s", {}, inline(m[1]))],
  [/\|\|([\s\S]+?)\|\|/y, (m) => spoiler(inline(m[1]))],
  [/\*(?=\S)([^*]*?[^*\s])\*(?!\*)/y, (m) => h("em", {}, inline(m[1]))],
  [/\b_(?=\S)([^_]*?\S)_\b/y, (m) => h("em", {}, inline(m[1]))],
  [/\[([^\]\n]{1,300})\]\(<?(https?:\/\/[^\s)>]+)>?\)/y, (m) => link(m[2], inline(m[1]))],
  [/<(https?:\/\/[^\s>]+)>/y, (m) => link(m[1], m[1])],
  [/https?:\/\/[^\s<>]*[^\s<>"'.,:;!?)\]]/y, (m) => link(m[0], m[0])],
  [/<@!?(\d{1,20})>/y, (m) => mention(`@${state.users.get(m[1])?.global_name || "unknown"}`, m[1] === state.me?.id)],
  [/<#(\d{1,20})>/y, (m) => mention(`#${channel(m[1]) ? channelName(channel(m[1])) : "unknown"}`)],
  [/@(everyone|here)\b/y, (m) => mention(m[0], true)],
  [/<t:(\d{1,12})(?::([tTdDfFR]))?>/y, (m) => time(Number(m[1]))],
];

/** The elements of a text. */
export function markdown(text) {
  const parts = [];
  const fence = /```(?:([\w+#.-]{1,20})\n)?\n?([\s\S]*?)\n?```/g;
  let end = 0;
  for (const match of text.matchAll(fence)) {
    parts.push(...blocks(text.slice(end, match.index)), codeBlock(match[2], match[1] || ""));
    end = match.index + match[0].length;
  }
  parts.push(...blocks(text.slice(end)));
  return parts;
}

/** A box of code with its language and a button that copies it. */
export function codeBlock(code, language = "") {
  const copy = h("button", { type: "button", class: "copy", onclick: () => copyText(copy, code) }, "Copy");
  const head = h("div", { class: "code-head" }, h("span", { class: "language" }, language), copy);
  const lines = language === "diff" ? diffLines(code) : [code];
  return h("div", { class: "code" }, head, h("pre", { tabIndex: 0 }, h("code", {}, lines)));
}

function diffLines(code) {
  const kinds = { "+": "added", "-": "removed", "@": "hunk" };
  return code.split("\n").map((line, index) => h("span", { class: kinds[line[0]] || "" }, (index ? "\n" : "") + line));
}

async function copyText(button, text) {
  await navigator.clipboard.writeText(text);
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
}

function blocks(text) {
  if (!text.trim()) return [];
  const parts = [];
  const lines = text.replace(/^\n+|\n+$/g, "").split("\n");
  while (lines.length) parts.push(block(lines));
  return parts;
}

/** Take one block off the lines. */
function block(lines) {
  const rest = lines[0].match(/^>>> ?(.*)/);
  if (rest) return h("blockquote", {}, blocks([rest[1], ...lines.splice(0).slice(1)].join("\n")));
  if (/^> ?/.test(lines[0])) return h("blockquote", {}, blocks(take(lines, /^> ?/).map((line) => line.replace(/^> ?/, "")).join("\n")));
  const heading = lines[0].match(/^(#{1,3}) +(.+)/);
  if (heading) return lines.shift() && h(`h${heading[1].length + 2}`, {}, inline(heading[2]));
  const small = lines[0].match(/^-# +(.+)/);
  if (small) return lines.shift() && h("p", { class: "subtext" }, inline(small[1]));
  if (/^\s*[-*] +\S/.test(lines[0])) return list("ul", take(lines, /^\s*[-*] +\S/), /^\s*[-*] +/);
  if (/^\s*\d{1,4}[.)] +\S/.test(lines[0])) return list("ol", take(lines, /^\s*\d{1,4}[.)] +\S/), /^\s*\d{1,4}[.)] +/);
  return h("p", {}, inline(takeText(lines).join("\n")));
}

function take(lines, pattern) {
  const taken = [];
  while (lines.length && pattern.test(lines[0])) taken.push(lines.shift());
  return taken;
}

const SPECIAL = /^(>>> ?|> ?|#{1,3} +\S|-# +\S|\s*[-*] +\S|\s*\d{1,4}[.)] +\S)/;

function takeText(lines) {
  const taken = [lines.shift()];
  while (lines.length && !SPECIAL.test(lines[0])) taken.push(lines.shift());
  return taken;
}

function list(tag, lines, bullet) {
  const items = lines.map((line) => h("li", { class: /^\s{2,}/.test(line) ? "nested" : "" }, inline(line.replace(bullet, ""))));
  const start = tag === "ol" ? Number(lines[0].match(/\d+/)[0]) : undefined;
  return h(tag, { start }, items);
}

/** The nodes of one run of text. */
export function inline(text) {
  const nodes = [];
  let plain = "", at = 0;
  const flush = () => { if (plain) nodes.push(plain); plain = ""; };
  while (at < text.length) {
    const found = matchAt(text, at);
    if (!found) { plain += text[at++]; continue; }
    flush();
    nodes.push(found.node);
    at = found.end;
  }
  flush();
  return nodes;
}

function matchAt(text, at) {
  if (!/[\\`*_~|[<@h]/.test(text[at])) return null;
  for (const [pattern, build] of INLINE) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) return { node: build(match), end: at + match[0].length };
  }
  return null;
}

function link(address, content) {
  return h("a", { href: address, title: address, target: "_blank", rel: "noopener noreferrer nofollow" }, content);
}

function mention(text, isMine = false) {
  return h("span", { class: isMine ? "mention mine" : "mention" }, text);
}

function spoiler(content) {
  const cover = h("span", { class: "spoiler", role: "button", tabIndex: 0, "aria-label": "Spoiler, press to show" }, content);
  const show = () => { cover.classList.add("shown"); cover.removeAttribute("aria-label"); };
  cover.addEventListener("click", show);
  cover.addEventListener("keydown", (event) => { if (event.key === "Enter") show(); });
  return cover;
}

function time(seconds) {
  const moment = new Date(seconds * 1000);
  return Number.isNaN(moment.getTime()) ? "" : h("time", { dateTime: moment.toISOString() }, moment.toLocaleString());
}
