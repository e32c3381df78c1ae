// Embeds: a card with a coloured bar, title, text, fields and footer.

import { h } from "./dom.js";
import { local } from "./files.js";
import { inline, markdown } from "./markdown.js";

/** The element of an embed. */
export function embed(data) {
  const card = h("div", { class: "embed" },
    data.author?.name && h("div", { class: "embed-author" }, data.author.name),
    data.title && h("div", { class: "embed-title" }, title(data)),
    data.description && h("div", { class: "embed-text" }, markdown(data.description)),
    data.fields?.length && h("div", { class: "embed-fields" }, data.fields.map(field)),
    data.image && h("img", { class: "embed-image", src: local(data.image.url), alt: "", loading: "lazy" }),
    data.footer?.text && h("div", { class: "embed-footer" }, data.footer.text));
  if (Number.isInteger(data.color)) card.style.setProperty("--bar", `#${data.color.toString(16).padStart(6, "0")}`);
  return card;
}

function title(data) {
  const text = inline(data.title);
  const isLink = /^https?:\/\//.test(data.url || "");
  return isLink ? h("a", { href: data.url, target: "_blank", rel: "noopener noreferrer nofollow" }, text) : text;
}

function field(data) {
  return h("div", { class: data.inline ? "field inline" : "field" }, h("div", { class: "field-name" }, inline(data.name)), h("div", { class: "field-value" }, markdown(data.value)));
}
