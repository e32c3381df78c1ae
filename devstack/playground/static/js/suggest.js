// Suggestions while writing: people after @, commands, their options and values after /.

import { completions } from "./commands.js";
import { avatar, h } from "./dom.js";
import { state } from "./state.js";

/** Watch a text box; `handles(event)` says whether a key was meant for the suggestions. */
export function suggest(form, box) {
  const menu = h("ul", { id: "suggestions", role: "listbox", "aria-label": "Suggestions", hidden: true });
  form.prepend(menu);
  let found = [], chosen = 0, start = 0, moved = false;

  const close = () => { found = []; menu.hidden = true; };
  const accept = (item) => {
    const before = box.value.slice(0, start), after = box.value.slice(box.selectionStart);
    box.value = `${before}${item.insert}${after.replace(/^ /, "")}`;
    const caret = start + item.insert.length;
    box.setSelectionRange(caret, caret);
    close();
    box.focus();
    box.dispatchEvent(new Event("input"));
  };
  const draw = () => {
    menu.hidden = !found.length;
    menu.replaceChildren(...found.map((item, index) => h("li", {
      role: "option", "aria-selected": String(index === chosen), class: index === chosen ? "chosen" : "",
      onpointerdown: (event) => { event.preventDefault(); accept(item); },
    }, item.picture, h("span", { class: "suggestion" }, item.label), h("span", { class: "suggestion-note" }, item.note))));
    menu.querySelector(".chosen")?.scrollIntoView({ block: "nearest" });
  };

  box.addEventListener("input", () => {
    const written = box.value.slice(0, box.selectionStart);
    const mention = written.match(/(?:^|\s)@([\w.-]*)$/);
    const offered = written.startsWith("/") ? completions(written)
      : mention ? { start: written.length - mention[1].length - 1, items: people(mention[1].toLowerCase()) } : { start: 0, items: [] };
    start = offered.start;
    found = offered.items;
    chosen = 0;
    moved = false;
    draw();
  });
  box.addEventListener("blur", close);

  return {
    handles(event) {
      if (!found.length) return false;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        chosen = (chosen + (event.key === "ArrowDown" ? 1 : found.length - 1)) % found.length;
        moved = true;
        draw();
      } else if (event.key === "Tab" || (event.key === "Enter" && !event.shiftKey && (moved || !found[chosen].onlyByTab))) accept(found[chosen]);
      else if (event.key === "Escape") close();
      else { if (event.key === "Enter") close(); return false; }
      event.preventDefault();
      return true;
    },
  };
}

function people(start) {
  return [...state.users.values()]
    .filter((user) => user.username.toLowerCase().startsWith(start))
    .sort((a, b) => Number(b.bot) - Number(a.bot))
    .map((user) => ({ insert: `@${user.username} `, label: user.global_name, note: user.bot ? "the bot" : "", picture: avatar(user, "tiny") }));
}
