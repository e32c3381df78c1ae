// Slash commands as text, `/name option:value …`: what was written, and what can be written next.

import { isThread, state } from "./state.js";

const SUBCOMMAND = 1, SWITCH = 5, USER = 6, CHANNEL = 7, ROLE = 8;
const LISTED = new Set([SWITCH, USER, CHANNEL, ROLE]);

/** A command with its values by option, ids in place of names; null if there is none of that name. */
export function read(text) {
  const command = named(`${text} `);
  if (!command) return null;
  const tail = text.slice(command.name.length + 1).trim();
  const found = spans(tail, command);
  const options = Object.fromEntries(found.map(({ option, value }) => [option.name, sendable(option, value)]));
  if (tail && !found.length && command.options.length) options[command.options[0].name] = sendable(command.options[0], unquoted(tail));
  return { name: command.name, options };
}

/** How `/…` may go on: {start, items}, where `start` is the position from which a chosen item replaces the text. */
export function completions(text) {
  const command = named(text);
  if (!command) return { start: 0, items: names(text.slice(1).toLowerCase()) };
  const tail = text.slice(command.name.length + 1);
  const found = spans(tail, command), last = found.at(-1);
  const word = tail.match(/\S*$/)[0];
  if (last && isOpen(last, tail)) return { start: text.length - tail.length + last.from, items: values(last.option, last.value.toLowerCase()) };
  const given = new Set(found.map(({ option }) => option.name));
  const left = command.options.filter((option) => !given.has(option.name) && option.name.startsWith(word));
  const isInText = last && word && !tail.slice(last.from).startsWith('"') && !isListed(last.option);
  return { start: text.length - word.length, items: isInText && word.length < 2 ? [] : left.map(optionItem) };
}

/** The command that a text has named and gone beyond. */
function named(text) {
  return all().filter(({ name }) => text.startsWith(`/${name} `)).sort((a, b) => b.name.length - a.name.length)[0];
}

function all() {
  return state.commands.flatMap(({ name, description, options = [] }) => {
    const parts = options.filter((option) => option.type === SUBCOMMAND);
    return parts.length ? parts.map((part) => ({ ...part, name: `${name} ${part.name}`, options: part.options || [] })) : [{ name, description, options }];
  });
}

/** The options in a text with their values; `from` is where a value begins. */
function spans(tail, command) {
  if (!command.options.length) return [];
  const pattern = new RegExp(`(?:^|\\s)(${command.options.map((option) => option.name).join("|")}):`, "g");
  const heads = [...tail.matchAll(pattern)];
  return heads.map((head, index) => {
    const from = head.index + head[0].length;
    const value = unquoted(tail.slice(from, heads[index + 1]?.index));
    return { option: command.options.find((option) => option.name === head[1]), from, value };
  });
}

const unquoted = (text) => text.trim().replace(/^"(.*?)"?$/s, "$1");
const isListed = (option) => Boolean(option.choices?.length) || LISTED.has(option.type);

/** Whether the last value is still being chosen. */
function isOpen({ option, from }, tail) {
  const raw = tail.slice(from);
  return isListed(option) && !(raw.startsWith("\"") ? /^".*"/s.test(raw) : /\S\s/.test(raw));
}

function names(start) {
  const found = all().filter(({ name }) => name.startsWith(start));
  const isWritten = found.length === 1 && found[0].name === start && !found[0].options.length;
  return isWritten ? [] : found
    .map(({ name, description }) => ({ insert: `/${name} `, label: `/${name}`, note: description, picture: null }));
}

/** Enter sends a command that lacks nothing, so that it takes Tab to go on with what may be left out. */
function optionItem({ name, description, required }) {
  return { insert: `${name}:`, label: name, note: `${description}${required ? " · required" : ""}`, picture: null, onlyByTab: !required };
}

function values(option, start) {
  const found = choices(option).filter(({ label }) => label.toLowerCase().replace(/^[#@]/, "").startsWith(start.replace(/^[#@]/, "")));
  const isWritten = found.length === 1 && found[0].label.toLowerCase() === start;
  return isWritten ? [] : found.map(({ label, note = "" }) => ({ insert: /\s/.test(label) ? `"${label}" ` : `${label} `, label, note, picture: null }));
}

/** What an option takes, as {label, value}. */
function choices({ type, choices: declared = [] }) {
  if (type === CHANNEL) return [...state.channels.values()].filter(isThread).map(({ id, name }) => ({ label: `#${name}`, value: id }));
  if (type === USER) return [...state.users.values()].map(({ id, username, global_name: shown }) => ({ label: `@${username}`, note: shown, value: id }));
  if (type === ROLE) return state.roles.map(({ id, name }) => ({ label: `@${name.replace(/^@/, "")}`, value: id }));
  if (type === SWITCH) return [{ label: "true", value: "true" }, { label: "false", value: "false" }];
  return declared.map(({ name, value }) => ({ label: name, value }));
}

function sendable(option, text) {
  if (!isListed(option)) return text;
  return choices(option).find(({ label }) => label.toLowerCase() === text.toLowerCase())?.value ?? text;
}
