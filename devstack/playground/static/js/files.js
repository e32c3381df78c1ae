// Attachments: images and texts are shown, everything can be downloaded.

import { h } from "./dom.js";
import { codeBlock } from "./markdown.js";

const TEXT = /\.(txt|md|py|js|ts|json|ya?ml|toml|ini|csv|log|diff|patch|sh|html|css|xml|sql|go|rs|java|c|h|cpp|tf)$/i;
const IMAGES = ["image/png", "image/jpeg", "image/gif", "image/webp"];
const PREVIEW_LIMIT = 200_000, PREVIEW_LINES = 12;

/** An attachment's address on the host by which this page was opened. */
export function local(address) {
  const url = new URL(address, location.href);
  return url.pathname.startsWith("/attachments/") ? url.pathname + url.search : url.href;
}

/** The elements of a message's attachments. */
export function files(attachments) {
  return attachments.length ? h("div", { class: "files" }, attachments.map(file)) : null;
}

/** A size for people. */
export function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

function file(attachment) {
  const address = local(attachment.url);
  if (IMAGES.includes(attachment.content_type)) {
    return h("a", { class: "image", href: address, target: "_blank", rel: "noopener" },
      h("img", { src: address, alt: attachment.description || attachment.filename, loading: "lazy" }));
  }
  const isText = attachment.content_type.startsWith("text/") || TEXT.test(attachment.filename);
  const card = h("div", { class: "file", "data-name": attachment.filename },
    h("span", { class: "file-icon", "aria-hidden": "true" }, isText ? "📄" : "📦"),
    h("span", { class: "file-name" }, attachment.filename),
    h("span", { class: "file-size" }, size(attachment.size)),
    isText && attachment.size <= PREVIEW_LIMIT && h("button", { type: "button", class: "quiet", "aria-expanded": "false", onclick: (event) => preview(event.currentTarget, card, attachment, address) }, "Show"),
    h("a", { class: "download", href: address, download: attachment.filename, title: `Download ${attachment.filename}` }, "Download"));
  return card;
}

async function preview(button, card, attachment, address) {
  const shown = card.nextElementSibling;
  if (shown?.classList.contains("preview")) {
    shown.remove();
    button.textContent = "Show";
    button.setAttribute("aria-expanded", "false");
    return;
  }
  button.disabled = true;
  const text = await fetch(address).then((answer) => answer.text());
  button.disabled = false;
  button.textContent = "Hide";
  button.setAttribute("aria-expanded", "true");
  const extension = attachment.filename.split(".").pop().toLowerCase();
  const box = codeBlock(text, extension === "patch" ? "diff" : extension);
  box.classList.toggle("long", text.split("\n").length > PREVIEW_LINES);
  card.after(h("div", { class: "preview" }, box));
}
