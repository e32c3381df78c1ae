// A small choice of emoji beside a button.

import { h } from "./dom.js";

const CHOICE = [..."👍👎🛑✅❌🎉🚀👀💬🔄🤔😀😂🥳😍😢😡🙏👏💪🔥✨💡🐛🔧📝📎📌⏳🧪🎯💾🧠🤖☕🌱🌈"];

/** Let somebody pick; Escape or a click elsewhere picks nothing. */
export function pickEmoji(anchor, picked) {
  document.querySelector(".emoji-picker")?.remove();
  const close = () => { picker.remove(); removeEventListener("pointerdown", outside, true); anchor.focus(); };
  const outside = (event) => { if (!picker.contains(event.target)) close(); };
  const choose = (emoji) => { close(); picked(emoji); };
  const picker = h("div", { class: "emoji-picker", role: "dialog", "aria-label": "Pick an emoji" },
    CHOICE.map((emoji) => h("button", { type: "button", "aria-label": emoji, onclick: () => choose(emoji) }, emoji)));
  picker.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); close(); } });
  document.body.append(picker);
  place(picker, anchor.getBoundingClientRect());
  addEventListener("pointerdown", outside, true);
  picker.querySelector("button").focus();
}

function place(picker, anchor) {
  const { width, height } = picker.getBoundingClientRect();
  const above = anchor.top - height - 6;
  picker.style.left = `${Math.max(8, Math.min(anchor.right - width, innerWidth - width - 8))}px`;
  picker.style.top = `${above > 8 ? above : Math.min(anchor.bottom + 6, innerHeight - height - 8)}px`;
}
