// A state machine as a drawing: visited states filled, the current one lit, ways already gone drawn stronger.

import { svg } from "./dom.js";

const WIDTH = 116, HEIGHT = 30, GAP_X = 46, GAP_Y = 18, LEFT = 26, TOP = 8;

/** The drawing of a graph as the server describes it. */
export function drawGraph(graph) {
  const nodes = graph.nodes.filter((node) => !node.on_failure_only || node.visits > 0);
  const places = new Map(nodes.map((node) => [node.name, place(node)]));
  const width = LEFT + WIDTH + Math.max(0, ...nodes.map((node) => node.column)) * (WIDTH + GAP_X) + 8;
  const height = TOP * 2 + (Math.max(0, ...nodes.map((node) => node.row)) + 1) * (HEIGHT + GAP_Y) - GAP_Y;
  const edges = graph.edges.filter((edge) => places.has(edge.source) && places.has(edge.target) && (!edge.catch || edge.visits > 0));
  edges.sort((a, b) => a.visits - b.visits); // Ways already gone lie on top.
  return svg("svg", { class: "graph", width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": describe(graph) },
    svg("defs", {}, arrow("arrow"), arrow("arrow-walked")),
    ...edges.map((edge) => drawEdge(edge, places.get(edge.source), places.get(edge.target))),
    ...nodes.map((node) => drawNode(node, places.get(node.name), graph.current)));
}

function place(node) {
  return { x: LEFT + node.column * (WIDTH + GAP_X), y: TOP + node.row * (HEIGHT + GAP_Y), column: node.column, row: node.row };
}

function describe(graph) {
  const visited = graph.nodes.filter((node) => node.visits).map((node) => `${node.name} ${node.visits} times`);
  return `State machine ${graph.machine}: ${graph.current ? `now in ${graph.current}` : graph.status}; visited ${visited.join(", ") || "nothing yet"}`;
}

function drawNode(node, at, current) {
  const classes = ["node", node.type.toLowerCase(), node.visits && "visited", node.name === current && "current", node.on_failure_only && "failed"];
  const group = svg("g", { class: classes.filter(Boolean).join(" "), "data-state": node.name, transform: `translate(${at.x} ${at.y})` });
  const radius = node.type === "Choice" ? HEIGHT / 2 : 7;
  group.append(svg("rect", { width: WIDTH, height: HEIGHT, rx: radius }), svg("text", { x: node.visits > 1 ? 10 : WIDTH / 2, y: HEIGHT / 2, class: node.visits > 1 ? "name left" : "name" }, node.name));
  if (node.visits > 1) group.append(svg("text", { x: WIDTH - 10, y: HEIGHT / 2, class: "visits" }, `×${node.visits}`));
  return group;
}

function drawEdge(edge, from, to) {
  const walked = edge.visits > 0;
  return svg("path", { class: walked ? "edge walked" : "edge", d: route(from, to), "marker-end": `url(#${walked ? "arrow-walked" : "arrow"})` });
}

/** Straight down a column, around its left side when going back, and through the gap between columns. */
function route(from, to) {
  if (from.column === to.column) {
    const x = from.x + WIDTH / 2;
    if (to.row === from.row + 1) return `M${x} ${from.y + HEIGHT} L${x} ${to.y - 2}`;
    const [start, end] = [from.y + HEIGHT / 2, to.y + HEIGHT / 2];
    const bulge = from.x - Math.min(20, 8 + 4 * Math.abs(to.row - from.row));
    return `M${from.x} ${start} C${bulge} ${start} ${bulge} ${end} ${to.x - 3} ${end}`;
  }
  const goesRight = to.column > from.column;
  const [startX, endX] = goesRight ? [from.x + WIDTH, to.x - 3] : [from.x, to.x + WIDTH + 3];
  const shift = goesRight ? -5 : 5;
  const [start, end] = [from.y + HEIGHT / 2 + shift, to.y + HEIGHT / 2 + (from.row === to.row ? shift : goesRight ? -5 : 5)];
  const middle = (startX + endX) / 2;
  return `M${startX} ${start} C${middle} ${start} ${middle} ${end} ${endX} ${end}`;
}

function arrow(id) {
  return svg("marker", { id, class: id, viewBox: "0 0 8 8", refX: 6, refY: 4, markerWidth: 6, markerHeight: 6, orient: "auto" }, svg("path", { d: "M0 1 L7 4 L0 7 z" }));
}
