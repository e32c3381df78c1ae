// What the page knows, and who wants to be told when it changes.

export const state = {
  me: null,
  users: new Map(),
  botId: "",
  channels: new Map(),
  directs: new Map(),
  commands: [],
  roles: [],
  page: {},
  fileLimit: 0,
  current: "",
  messages: new Map(),
  complete: new Set(),
  unread: new Set(),
  typing: new Map(),
};

const changes = new EventTarget();

/** Call back whenever something of a kind changed: "channels", "current", "messages", "message", "typing", "run". */
export function on(kind, callback) {
  changes.addEventListener(kind, (event) => callback(event.detail));
}

export function emit(kind, detail) {
  changes.dispatchEvent(new CustomEvent(kind, { detail }));
}

/** Order of ids: they are numbers too large for JavaScript, as text without leading zeros. */
export const byAge = (a, b) => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);

export const isThread = (channel) => channel && [10, 11, 12].includes(channel.type);
export const isDirect = (channel) => channel && channel.type === 1;

export function channel(id) {
  return state.channels.get(id) || state.directs.get(id);
}

export function channelName(found) {
  if (!isDirect(found)) return found.name;
  const other = found.recipients.find((user) => user.id !== state.me.id) || found.recipients[0];
  return other.global_name;
}

export function threadsOf(id) {
  return [...state.channels.values()].filter((found) => isThread(found) && found.parent_id === id && !found.thread_metadata.archived).sort((a, b) => byAge(b.id, a.id));
}

/** A permission the server told about a channel; a new thread's are its parent's. */
export function may(what, found) {
  if (found[what] === undefined && isThread(found)) return may(what, channel(found.parent_id) || {});
  return found[what] === true;
}

/** Store what a page of messages or an event brought, for channels that were looked at. */
export function keep(message) {
  state.messages.get(message.channel_id)?.set(message.id, message);
}

export function forget(channelId, messageId) {
  state.messages.get(channelId)?.delete(messageId);
}

export function sorted(channelId) {
  return [...(state.messages.get(channelId)?.values() || [])].sort((a, b) => byAge(a.id, b.id));
}

/** A value kept for this browser; pages without storage just forget. */
export function remembered(name, fallback = "") {
  try { return localStorage.getItem(`playground.${name}`) ?? fallback; } catch { return fallback; }
}

export function remember(name, value) {
  try { localStorage.setItem(`playground.${name}`, value); } catch { /* private windows may have no storage */ }
}
