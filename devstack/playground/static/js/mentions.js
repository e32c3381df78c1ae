// Mentions: people read and type names, Discord stores ids.

import { state } from "./state.js";

/** Replace `@name` by the id form. */
export function withIds(text) {
  const users = [...state.users.values()].sort((a, b) => b.username.length - a.username.length);
  return users.reduce((current, user) => current.replace(new RegExp(`@${escapeForPattern(user.username)}(?![\\w-])`, "gi"), `<@${user.id}>`), text);
}

/** Replace the id form by `@name`. */
export function withNames(text) {
  return text.replace(/<@!?(\d{1,20})>/g, (whole, id) => (state.users.has(id) ? `@${state.users.get(id).username}` : whole));
}

const escapeForPattern = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
