// Rows of buttons and selects, and what pressing one gives.

import * as api from "./api.js";
import { h } from "./dom.js";

const STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "secondary" };
const BUTTON = 2, SELECT = 3, LINK = 5;

/** The element of a message's components. */
export function components(message) {
  if (!message.components.length) return null;
  const failure = h("div", { class: "failure", role: "alert", hidden: true });
  const rows = message.components.map((row) => h("div", { class: "buttons" }, row.components.map((child) => component(message, child, failure))));
  return h("div", { class: "components" }, rows, failure);
}

function component(message, data, failure) {
  if (data.type === SELECT) return select(message, data, failure);
  if (data.type !== BUTTON) return h("span", { class: "unsupported" }, "A part that this page cannot show");
  const label = [data.emoji?.name && h("span", { class: "emoji" }, data.emoji.name), data.label];
  if (data.style === LINK) return h("a", { class: "button secondary", href: data.url, target: "_blank", rel: "noopener noreferrer nofollow" }, label, " ↗");
  const button = h("button", {
    type: "button", class: `button ${STYLES[data.style]}`, disabled: data.disabled === true, "data-custom-id": data.custom_id,
    onclick: () => use(message, button, data.custom_id, [], failure),
  }, label);
  return button;
}

function select(message, data, failure) {
  const options = data.options.map((option) => h("option", { value: option.value }, option.label));
  const box = h("select", { disabled: data.disabled === true, onchange: () => use(message, box, data.custom_id, [box.value], failure) },
    h("option", { value: "", disabled: true, selected: true }, data.placeholder || "Choose …"), options);
  return box;
}

async function use(message, control, customId, values, failure) {
  control.disabled = true;
  control.classList.add("busy");
  failure.hidden = true;
  const path = `/channels/${message.channel_id}/messages/${message.id}/components`;
  const told = await api.post(path, { custom_id: customId, values }).catch((refusal) => ({ failed: true, why: refusal.message }));
  control.disabled = false;
  control.classList.remove("busy");
  if (told.failed) {
    failure.textContent = told.why || "This interaction failed";
    failure.hidden = false;
  }
}
