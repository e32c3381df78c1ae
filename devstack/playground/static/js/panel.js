// The run beside the chat: where it stands, what it did, what it cost.

import * as api from "./api.js";
import { byId, h } from "./dom.js";
import { drawGraph } from "./graph.js";
import { tell } from "./messages.js";
import { channel, emit, on, state } from "./state.js";

const EVERY = 1000;
let timer = 0, chosen = null, openTools = new Set(), shown = "";

export function startPanel() {
  on("current", () => { chosen = null; openTools = new Set(); shown = ""; refresh(); });
  on("run", () => { clearTimeout(timer); timer = setTimeout(refresh, 300); });
}

/** Ask for the run, and again every second while it is active. */
async function refresh() {
  clearTimeout(timer);
  const thread = state.current;
  if (!thread) return;
  const query = chosen ? `&execution=${encodeURIComponent(chosen)}` : "";
  const observed = await api.get(`/runs?thread=${thread}${query}`).catch((refusal) => ({ runs: [], run: null, unavailable: refusal.message }));
  if (thread !== state.current) return;
  draw(observed);
  const isBusy = observed.runs.some((run) => run.active) || observed.run?.approval_graph?.current;
  if (isBusy && !document.hidden) timer = setTimeout(refresh, EVERY);
}

addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });

function draw(observed) {
  const panel = byId("panel");
  const scroll = panel.scrollTop;
  const signature = JSON.stringify(observed);
  if (signature === shown) return;
  shown = signature;
  const { run, runs } = observed;
  panel.replaceChildren(
    h("div", { class: "panel-head" }, h("h2", {}, "Run"), run && status(run),
      h("button", { type: "button", class: "quiet close-drawer", "aria-label": "Close the run", onclick: () => emit("drawer", "") }, "×")),
    ...(run ? details(run, runs) : [empty(observed)]));
  panel.scrollTop = scroll;
}

function empty(observed) {
  if (observed.unavailable) return h("p", { class: "panel-empty" }, observed.unavailable);
  const bot = state.users.get(state.botId);
  return h("p", { class: "panel-empty" }, `No run here yet. Mention @${bot.username} in a channel; the thread it opens shows its run in this place.`);
}

function status(run) {
  const text = run.stopping ? "stopping" : run.active ? { pending: "starting", processing: "working", parked: "waiting for you" }[run.status] : (run.outcome || run.status).replaceAll("_", " ");
  const kind = run.active ? (run.status === "parked" ? "waiting" : "busy") : run.outcome === "done" ? "good" : run.outcome === "failed" || run.status === "failed" ? "bad" : "neutral";
  return h("span", { class: `status ${kind}`, "data-status": run.status }, text);
}

function details(run, runs) {
  return [
    runs.length > 1 && picker(run, runs),
    h("p", { class: "request", title: run.request }, withoutIds(run.request)),
    run.question && run.status === "parked" && h("p", { class: "question" }, run.question),
    figures(run),
    run.card?.message_id && run.active && h("button", { type: "button", class: "button danger stop", disabled: run.stopping, onclick: () => stop(run) }, run.stopping ? "Stopping …" : "🛑 Stop"),
    run.commit && commit(run),
    run.graph && section("Steps", graphNote(run.graph), drawGraph(run.graph)),
    run.approval_graph && section("Approval", run.approval_graph.current ? "waits for a decision" : run.decision || run.approval_graph.status.toLowerCase(), drawGraph(run.approval_graph)),
    run.tools.length > 0 && section("Tools", `${run.tools.length} ${run.tools.length === 1 ? "call" : "calls"}`, h("ol", { class: "tools" }, [...run.tools].reverse().map(tool))),
    h("p", { class: "execution" }, run.execution_id),
  ].filter(Boolean);
}

const withoutIds = (text) => (text || "").replace(/<@!?(\d+)>/g, (whole, id) => `@${state.users.get(id)?.username || "somebody"}`);

function picker(run, runs) {
  const box = h("select", { class: "run-picker", "aria-label": "Choose a run", onchange: () => { chosen = box.value; refresh(); } },
    runs.map((other, index) => h("option", { value: other.execution_id, selected: other.execution_id === run.execution_id }, `${runs.length - index}. ${withoutIds(other.request).slice(0, 50)}`)));
  return box;
}

function figures(run) {
  const rows = [
    ["Turn", run.max_turns ? `${run.turn} of ${run.max_turns}` : run.turn || null],
    ["Rounds", run.rounds || null],
    ["Confidence", run.confidence === null || run.confidence === undefined ? null : meter(run.confidence)],
    ["Model", run.model],
    ["Role", run.role],
    ["Cost", cost(run.cost)],
    ["Tokens", run.usage.input ? `${number(run.usage.input)} in · ${number(run.usage.output || 0)} out` : null],
    ["Time", elapsed(run.elapsed_seconds)],
    ["Score", run.score],
    ["Escalations", run.escalations || null],
  ];
  const filled = rows.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h("dl", { class: "figures" }, filled.map(([name, value]) => [h("dt", {}, name), h("dd", { "data-figure": name.toLowerCase() }, typeof value === "object" ? value : String(value))]));
}

function meter(value) {
  const level = value > 70 ? "good" : value > 50 ? "fair" : "low";
  const bar = h("span", { class: `meter ${level}` }, h("span", { class: "meter-fill" }));
  bar.firstChild.style.width = `${Math.max(0, Math.min(100, value))}%`;
  return h("span", { class: "confidence" }, bar, `${value}%`);
}

function cost(spent) {
  if (!spent) return null;
  if (spent.partial) return Number(spent.usd) ? `$${spent.usd} + unknown` : "unknown";
  return `$${spent.usd}`;
}

function elapsed(seconds) {
  if (seconds === null || seconds === undefined) return null;
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : whole < 3600 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

const number = (value) => value.toLocaleString();

function graphNote(graph) {
  return graph.current ? `now in ${graph.current}` : `${graph.status.toLowerCase()} after ${graph.transitions} states`;
}

function commit(run) {
  const { commit: made, decision } = run;
  const fate = { merge: "merged", reject: "rejected", expire: "kept, nobody decided", supersede: "replaced by a newer one" }[decision];
  return h("div", { class: "commit" },
    h("div", { class: "commit-line" }, h("code", {}, made.branch), h("code", {}, (made.sha || "").slice(0, 7)), fate && h("span", { class: `status ${decision === "merge" ? "good" : "neutral"}` }, fate)),
    made.message && h("div", { class: "commit-message", title: made.message }, made.message.split("\n")[0]),
    made.files?.length && h("div", { class: "commit-files" }, made.files.join(", ")));
}

function section(title, note, ...content) {
  return h("section", {}, h("h3", {}, title, h("span", { class: "section-note" }, note)), content);
}

function tool(call, index, all) {
  const key = all.length - index;
  const box = h("details", { open: openTools.has(key), ontoggle: () => (box.open ? openTools.add(key) : openTools.delete(key)) },
    h("summary", {},
      h("span", { class: call.success ? "ok" : "not-ok", role: "img", "aria-label": call.success ? "ok" : "failed" }, call.success ? "✓" : "✗"),
      h("span", { class: "tool-name" }, call.tool),
      h("span", { class: "tool-input" }, argument(call.input)),
      h("span", { class: "tool-time" }, duration(call.duration_ms))),
    h("div", { class: "tool-more" }, h("div", { class: "tool-where" }, `turn ${call.turn}, round ${call.round}`), h("pre", {}, call.input), call.output && h("pre", {}, call.output)));
  return h("li", {}, box);
}

/** The telling part of a call's arguments: the first value, also of JSON that was cut short. */
function argument(input) {
  try {
    const first = Object.values(JSON.parse(input))[0];
    return typeof first === "string" ? first : JSON.stringify(first) ?? "";
  } catch {
    return input.match(/:\s*"((?:[^"\\]|\\.)+)/)?.[1] ?? input;
  }
}

function duration(milliseconds) {
  if (milliseconds === null || milliseconds === undefined) return "";
  return milliseconds < 1000 ? `${milliseconds} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

async function stop(run) {
  const place = channel(run.card.channel_id) ? run.card.channel_id : state.current;
  await tell(() => api.put(`/channels/${place}/messages/${run.card.message_id}/reactions/${encodeURIComponent("🛑")}`));
  refresh();
}
