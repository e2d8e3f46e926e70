// @ts-check
"use strict";
// The modules as a list that opens level by level: made only when it is asked for, and only as far as it is open.
(() => {
  /** @typedef {{name: string, path: string, kinds: Map<string, Node>, spans: [number, number][], numel: number, counts: Map<number, number>, type: string, sign: string}} Node */
  const MOST = 200;
  const FOUND = 60;
  const box = /** @type {HTMLDetailsElement | null} */ (document.getElementById("outline"));
  if (!box) return;
  const number = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
  const fresh = (/** @type {string} */ name, /** @type {string} */ path) =>
    /** @type {Node} */ ({ name, path, kinds: new Map(), spans: [], numel: 0, counts: new Map(), type: "", sign: "" });

  /** @type {Data | null} */
  let data = null;
  /** @type {Node} */
  let root = fresh("", "");
  const read = () => {
    const { rows, strings } = (data = fxaData());
    rows.forEach((row, index) => {
      const parts = row[0].split(".");
      parts.pop();
      let node = root;
      add(node, row, index);
      for (const part of parts) {
        const path = node.path ? `${node.path}.${part}` : part;
        if (!node.kinds.has(part)) node.kinds.set(part, fresh(part, path));
        node = /** @type {Node} */ (node.kinds.get(part));
        add(node, row, index);
      }
      node.type = strings[row[10]] || node.type;
    });
  };
  const add = (/** @type {Node} */ node, /** @type {Row} */ row, /** @type {number} */ index) => {
    const last = node.spans.at(-1);
    if (last && last[1] === index) last[1] = index + 1;
    else node.spans.push([index, index + 1]);
    node.numel += row[3];
    node.counts.set(row[1], (node.counts.get(row[1]) || 0) + 1);
  };

  /** What makes two modules alike: what is in them, and how it fares. */
  const sign = (/** @type {Node} */ node) => {
    if (!node.sign) {
      const inside = [...node.kinds.values()].map((child) => `${child.name}(${sign(child)})`).join();
      node.sign = `${node.type}:${node.numel}:${[...node.counts].join(";")}:${inside}`;
    }
    return node.sign;
  };

  /** The children, numbered ones that are alike and follow each other as one. @returns {[string, Node[]][]} */
  const folded = (/** @type {Node} */ node) => {
    /** @type {[string, Node[]][]} */
    const groups = [];
    for (const child of node.kinds.values()) {
      const last = groups.at(-1)?.[1];
      const before = last?.at(-1);
      if (last && before && Number(child.name) === Number(before.name) + 1 && sign(child) === sign(before)) last.push(child);
      else groups.push(["", [child]]);
    }
    return groups.map(([, nodes]) => [nodes.length > 1 ? `${nodes[0].name} … ${nodes.at(-1)?.name}` : nodes[0].name, nodes]);
  };

  const make = (/** @type {string} */ tag, /** @type {string} */ text, /** @type {string} */ kind = "") => {
    const element = document.createElement(tag);
    element.textContent = text;
    if (kind) element.className = kind;
    return element;
  };

  const row = (/** @type {string} */ name, /** @type {Node[]} */ nodes) => {
    const [node] = nodes;
    const { verdicts } = fxaData();
    const line = node.kinds.size ? make("summary", "") : make("div", "", "leaf");
    line.append(make("code", name), make("span", `${nodes.length > 1 ? ` ×${nodes.length}` : ""} ${node.type} `, "muted"));
    for (const [verdict, count] of [...node.counts].sort((a, b) => verdicts[a[0]][3] - verdicts[b[0]][3])) {
      const [word, symbol] = verdicts[verdict];
      const chip = make("span", "", `v-${word}`);
      chip.append(make("span", `${symbol} ${number.format(count * nodes.length)} ${word}`, "few"));
      line.append(chip, " ");
    }
    line.append(make("span", `${number.format(node.numel * nodes.length)} elements `, "muted"));
    const show = make("button", "in the table");
    show.setAttribute("type", "button");
    show.setAttribute("aria-label", `Show ${node.path} in the table`);
    show.addEventListener("click", (event) => {
      event.preventDefault();
      const spans = nodes.flatMap((one) => one.spans);
      document.dispatchEvent(new CustomEvent("fxa-narrow", { detail: [spans, nodes.length > 1 ? name : node.path] }));
    });
    line.append(show);
    if (document.getElementById("modules-canvas")) {
      const there = make("button", "on the map");
      there.setAttribute("type", "button");
      there.setAttribute("aria-label", `Show ${node.path} on the map`);
      there.addEventListener("click", (event) => {
        event.preventDefault();
        const [first, last] = [node.spans[0][0], /** @type {[number, number]} */ (node.spans.at(-1))[1] - 1];
        document.dispatchEvent(new CustomEvent("fxa-locate", { detail: [first, last] }));
      });
      line.append(" ", there);
    }
    return line;
  };

  /** @type {WeakMap<Element, {nodes: Node[], open: () => Element}>} */
  const openings = new WeakMap();

  const list = (/** @type {[string, Node[]][]} */ groups) => {
    const all = make("ul", "");
    const fill = (/** @type {number} */ from) => {
      for (const [name, nodes] of groups.slice(from, from + MOST)) {
        const item = make("li", "");
        const line = row(name, nodes);
        if (line.tagName === "SUMMARY") {
          const opened = document.createElement("details");
          opened.append(line);
          const inside = () => opened.children.length === 1 && opened.append(list(folded(nodes[0])));
          opened.addEventListener("toggle", () => opened.open && inside());
          item.append(opened);
          openings.set(item, { nodes, open: () => (inside(), (opened.open = true), line.focus(), opened) });
        } else item.append(line);
        all.append(item);
      }
      if (groups.length > from + MOST) {
        const more = make("button", `${groups.length - from - MOST} more`);
        more.addEventListener("click", () => {
          more.parentElement?.remove();
          fill(from + MOST);
        });
        const item = make("li", "");
        item.append(more);
        all.append(item);
      }
    };
    fill(0);
    return all;
  };

  const tree = /** @type {HTMLElement} */ (document.getElementById("outline-tree"));
  const search = /** @type {HTMLInputElement} */ (document.getElementById("outline-search"));
  const show = () => {
    const query = search.value.trim().toLowerCase();
    if (!query) {
      tree.replaceChildren(list(folded(root)));
      return;
    }
    /** @type {[string, Node[]][]} */
    const found = [];
    const stack = [...root.kinds.values()].reverse();
    while (stack.length && found.length < FOUND) {
      const node = /** @type {Node} */ (stack.pop());
      if (node.path.toLowerCase().includes(query) || node.type.toLowerCase().includes(query)) found.push([node.path, [node]]);
      else stack.push(...[...node.kinds.values()].reverse());
    }
    tree.replaceChildren(found.length ? list(found) : make("p", "No module matches."));
  };
  search.addEventListener("input", show);
  document.addEventListener("fxa-list", (event) => {
    const path = /** @type {CustomEvent} */ (event).detail;
    if (!data) read();
    box.open = true;
    search.value = "";
    show();
    /** @type {Element} */
    let level = tree;
    for (let found = true; found; ) {
      found = false;
      for (const item of level.querySelectorAll(":scope > ul > li")) {
        const opening = openings.get(item);
        // Of equal modules the first is opened for all of them.
        const way = opening?.nodes.find((node) => path === node.path || path.startsWith(`${node.path}.`));
        if (!opening || !way) continue;
        level = opening.open();
        found = path !== way.path;
        break;
      }
    }
    level.scrollIntoView({ block: "center" });
  });
  box.hidden = false;
  box.addEventListener("toggle", () => {
    if (!box.open || data) return;
    read();
    show();
  });
})();
