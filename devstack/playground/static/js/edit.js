// Editing one's own message where it stands.

import * as api from "./api.js";
import { h } from "./dom.js";
import { emit } from "./state.js";
import { tell } from "./messages.js";
import { withIds, withNames } from "./mentions.js";

/** Put a text box in place of a message's text. */
export function editInPlace(message) {
  const element = document.querySelector(`#messages [data-id="${CSS.escape(message.id)}"] .body`);
  if (!element || element.querySelector(".editing")) return;
  const box = h("textarea", { rows: Math.min(message.content.split("\n").length + 1, 12), maxLength: 2000, "aria-label": "Edit message" });
  box.value = withNames(message.content);
  const cancel = () => emit("message", message);
  const save = async () => {
    const content = withIds(box.value.trim());
    if (!content || content === message.content) return cancel();
    await tell(() => api.patch(`/channels/${message.channel_id}/messages/${message.id}`, { content }));
  };
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { event.stopPropagation(); cancel(); }
    if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); save(); }
  });
  const hint = h("div", { class: "hint" }, "Escape to ", h("button", { type: "button", class: "link", onclick: cancel }, "cancel"), " · Enter to ", h("button", { type: "button", class: "link", onclick: save }, "save"));
  element.querySelector(".content")?.replaceWith(h("div", { class: "editing" }, box, hint));
  box.focus();
  box.setSelectionRange(box.value.length, box.value.length);
}
