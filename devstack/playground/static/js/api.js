// Talking to the server as the chosen person.

const ROOT = "/playground/api";
let actor = "";

/** Choose who acts from now on. */
export function actAs(user) {
  actor = user;
}

/** The server's answer to a refused request: a sentence for people and Discord's code. */
export class Refusal extends Error {
  constructor(status, body) {
    super(explain(body) || `The server answered ${status}`);
    this.status = status;
    this.code = body.code;
  }
}

async function request(method, path, body) {
  const headers = { "X-Playground-User": actor };
  const isForm = body instanceof FormData;
  if (body !== undefined && !isForm) headers["Content-Type"] = "application/json";
  const answer = await fetch(ROOT + path, { method, headers, body: isForm || body === undefined ? body : JSON.stringify(body) });
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  throw new Refusal(answer.status, await answer.json().catch(() => ({})));
}

export const get = (path) => request("GET", path);
export const post = (path, body = {}) => request("POST", path, body);
export const put = (path) => request("PUT", path);
export const patch = (path, body) => request("PATCH", path, body);
export const remove = (path) => request("DELETE", path);

/** Send a message with files. */
export function postFiles(path, body, files) {
  const form = new FormData();
  form.append("payload_json", JSON.stringify(body));
  files.forEach((file, index) => form.append(`files[${index}]`, file, file.name));
  return request("POST", path, form);
}

/** Listen to what happens; calls back with every event, and with the state of the connection. */
export function listen(user, onEvent, onState) {
  let socket, closed = false, pause = 500;
  const open = () => {
    socket = new WebSocket(`${location.origin.replace("http", "ws")}${ROOT}/feed?user=${encodeURIComponent(user)}`);
    socket.onmessage = (message) => {
      const event = JSON.parse(message.data);
      if (event.t === "READY") { pause = 500; onState(true); } else onEvent(event);
    };
    socket.onclose = () => {
      if (closed) return;
      onState(false);
      setTimeout(open, pause);
      pause = Math.min(pause * 2, 8000);
    };
  };
  open();
  return () => { closed = true; socket.close(); };
}

function explain(body) {
  const first = firstFault(body.errors);
  return first ? `${body.message}: ${first}` : body.message;
}

function firstFault(node) {
  if (!node || typeof node !== "object") return "";
  if (Array.isArray(node._errors) && node._errors.length) return node._errors[0].message;
  return Object.values(node).map(firstFault).find(Boolean) || "";
}
