// Suggestions while writing: people after @, commands after /.

import { avatar, h } from "./dom.js";
import { state } from "./state.js";

/** Watch a text box; `handles(event)` says whether a key was meant for the suggestions. */
export function suggest(form, box) {
  const menu = h("ul", { id: "suggestions", role: "listbox", "aria-label": "Suggestions", hidden: true });
  form.prepend(menu);
  let found = [], chosen = 0, start = 0;

  const close = () => { found = []; menu.hidden = true; };
  const accept = (item) => {
    const before = box.value.slice(0, start), after = box.value.slice(box.selectionStart);
    box.value = `${before}${item.insert} ${after.replace(/^ /, "")}`;
    const caret = start + item.insert.length + 1;
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
  };

  box.addEventListener("input", () => {
    const written = box.value.slice(0, box.selectionStart);
    const asked = written.match(/(?:^|\s)@([\w.-]*)$/) || written.match(/^\/([\w-]*)$/);
    if (!asked) return close();
    start = written.length - asked[1].length - 1;
    found = (written[start] === "@" ? people : commands)(asked[1].toLowerCase());
    chosen = 0;
    draw();
  });
  box.addEventListener("blur", close);

  return {
    handles(event) {
      if (!found.length) return false;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        chosen = (chosen + (event.key === "ArrowDown" ? 1 : found.length - 1)) % found.length;
        draw();
      } else if (event.key === "Enter" || event.key === "Tab") accept(found[chosen]);
      else if (event.key === "Escape") close();
      else return false;
      event.preventDefault();
      return true;
    },
  };
}

function people(start) {
  return [...state.users.values()]
    .filter((user) => user.username.toLowerCase().startsWith(start))
    .sort((a, b) => Number(b.bot) - Number(a.bot))
    .map((user) => ({ insert: `@${user.username}`, label: user.global_name, note: user.bot ? "the bot" : "", picture: avatar(user, "tiny") }));
}

function commands(start) {
  return state.commands
    .flatMap((command) => {
      const parts = (command.options || []).filter((option) => option.type === 1);
      return parts.length ? parts.map((part) => [`${command.name} ${part.name}`, part.description]) : [[command.name, command.description]];
    })
    .filter(([name]) => name.startsWith(start))
    .map(([name, note]) => ({ insert: `/${name}`, label: `/${name}`, note, picture: null }));
}
