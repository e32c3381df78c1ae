// Building elements. Text is only ever set as text: nothing here parses HTML.

/**
 * An element with properties and children; `class`, `on…` listeners, `data-…` and `aria-…` are understood,
 * null and false children are left out.
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) apply(element, name, value);
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function apply(element, name, value) {
  if (value === undefined || value === null || value === false) return;
  if (name === "class") element.className = value;
  else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (name.includes("-") || name === "role" || name === "for") element.setAttribute(name, value === true ? "" : value);
  else element[name] = value;
}

/** An SVG element with attributes. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const SHAPES = { plus: "M12 5v14M5 12h14", send: "M5 12h13M12 5l7 7-7 7" };

/** A drawn sign, the same on every machine. */
export function icon(name) {
  return svg("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: SHAPES[name] }));
}

/** The element with an id. */
export const byId = (id) => document.getElementById(id);

/** A round picture of a user: the first letter on a colour of their own. */
export function avatar(user, size = "") {
  const hue = user.bot ? 232 : (Number(user.id.slice(-6)) * 137) % 360;
  const face = h("span", { class: `avatar ${size}`, "aria-hidden": "true" }, user.bot ? "🤖" : user.global_name.slice(0, 1));
  face.style.setProperty("--hue", String(hue));
  return face;
}

/** A short notice that goes away by itself; `action` is {label, run}. */
export function toast(text, action = null) {
  const close = () => note.remove();
  const button = action && h("button", { type: "button", onclick: () => { close(); action.run(); } }, action.label);
  const note = h("div", { class: "toast" }, h("span", {}, text), button, h("button", { type: "button", class: "quiet", "aria-label": "Dismiss", onclick: close }, "×"));
  byId("toasts").append(note);
  setTimeout(close, action ? 12000 : 7000);
}
