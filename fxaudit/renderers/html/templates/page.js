// @ts-check
"use strict";
(() => {
  const narrowScreen = window.matchMedia("(max-width: 560px)");
  /** On a narrow screen a name has a line of its own. */
  const rowHeight = () => (narrowScreen.matches ? 52 : 30);
  const LETTER = 7.85;
  const LONGEST = 90;
  const MARGIN = 12;
  const PRINTED = 3000;
  /** The least scale of the map at which its small letters, of 10 points, are read. */
  const LEGIBLE = 0.55;
  const prefix = "fxa-";

  /** @param {string} id @returns {HTMLElement} */
  const at = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
  const data = fxaData();
  const rows = data.rows;
  const lower = rows.map((row) => row[0].toLowerCase());
  const text = (/** @type {number} */ index) => data.strings[index];

  /** @param {string} tag @param {string} [content] @param {Record<string, string>} [attributes] */
  const make = (tag, content = "", attributes = {}) => {
    const element = document.createElement(tag);
    element.textContent = content;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };

  const number = new Intl.NumberFormat("en");
  const order = new Intl.Collator("en", { numeric: true });
  const verdictText = (/** @type {number} */ v) => `${data.verdicts[v][1]} ${data.verdicts[v][0]}`;

  /** A norm with its three digits, as the report writes it elsewhere. */
  const said = (/** @type {number} */ size) => {
    const [digits, power] = size.toExponential(2).split("e");
    const exponent = Number(power);
    if (exponent >= -4 && exponent < 3) return String(Number(size.toPrecision(3)));
    return `${digits.replace(/\.?0+$/, "")}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  };
  const gradientText = (/** @type {Row} */ r) => text(r[6]) + (r[14] ? `, norm ${said(r[14])}` : "");
  const changeText = (/** @type {Row} */ r) => text(r[7]) + (r[15] ? ` by ${said(r[15])}` : "");

  /** What a column shows and sorts by: key, heading, text of a row, value to compare. */
  const columns = [
    { key: "name", head: "Name", show: (/** @type {Row} */ r) => r[0] },
    { key: "verdict", head: "Verdict", show: (/** @type {Row} */ r) => verdictText(r[1]) },
    { key: "shape", head: "Shape", show: (/** @type {Row} */ r) => text(r[2]) },
    { key: "numel", head: "Elements", show: (/** @type {Row} */ r) => number.format(r[3]) },
    { key: "held", head: "Held by", show: (/** @type {Row} */ r) => text(r[5]) || "none" },
    { key: "gradient", head: "Gradient", show: gradientText },
    { key: "update", head: "Update", show: (/** @type {Row} */ r) => (r[16] === null ? "" : r[16] ? r[16].toPrecision(2).replace(/(\.\d*?)0+$/, "$1") : "0") },
    { key: "cause", head: "Cause", show: (/** @type {Row} */ r) => r[11].map((cause) => cause + 1).join(", ") },
  ];

  const state = {
    query: "",
    /** @type {Set<number>} */ hidden: new Set(),
    /** @type {[number, number][] | null} */ spans: null,
    sort: 1,
    down: false,
    /** @type {number[]} */ found: [],
    selected: -1,
  };

  const scroller = at("rows");
  const body = /** @type {HTMLTableSectionElement} */ (document.querySelector("#table tbody"));
  const headings = /** @type {HTMLTableRowElement} */ (document.querySelector("#table thead tr"));

  // ---- which rows, in which order ----

  const matches = (/** @type {number} */ index) => {
    const row = rows[index];
    if (state.hidden.has(row[1])) return false;
    if (!state.query) return true;
    return lower[index].includes(state.query) || text(row[8]).toLowerCase().includes(state.query);
  };

  const compare = (/** @type {number} */ a, /** @type {number} */ b) => {
    const [x, y] = [rows[a], rows[b]];
    const key = columns[state.sort].key;
    if (key === "numel") return x[3] - y[3];
    if (key === "gradient") return (x[14] ?? -1) - (y[14] ?? -1);
    if (key === "update") return (x[16] ?? -1) - (y[16] ?? -1);
    if (key === "verdict") return data.verdicts[x[1]][3] - data.verdicts[y[1]][3];
    return order.compare(columns[state.sort].show(x), columns[state.sort].show(y));
  };

  const update = () => {
    [...headings.children].forEach((head, i) => {
      const sorted = i !== state.sort ? "none" : state.down ? "descending" : "ascending";
      head.setAttribute("aria-sort", sorted);
      const sign = { none: "", ascending: " ▲", descending: " ▼" }[sorted];
      /** @type {HTMLElement} */ (head.firstChild).textContent = columns[i].head + sign;
    });
    const found = [];
    const spans = state.spans || [[0, rows.length]];
    for (const [first, end] of spans) for (let i = first; i < end; i++) if (matches(i)) found.push(i);
    if (state.sort >= 0) {
      const sign = state.down ? -1 : 1;
      found.sort((a, b) => sign * compare(a, b) || a - b);
    }
    state.found = found;
    at("shown").textContent = `${number.format(found.length)} of ${number.format(rows.length)} parameters`;
    at("table").setAttribute("aria-rowcount", String(found.length + 1));
    paint(true);
  };

  // ---- drawing only what is in sight ----

  let painted = "";
  const pad = (/** @type {number} */ count) => {
    const row = make("tr", "", { class: "pad", "aria-hidden": "true" });
    const cell = make("td", "", { colspan: String(columns.length) });
    cell.style.height = `${count * rowHeight()}px`;
    row.append(cell);
    return row;
  };

  const paint = (force = false, all = false) => {
    const total = state.found.length;
    const first = all ? 0 : Math.max(0, Math.floor(scroller.scrollTop / rowHeight()) - MARGIN);
    const height = Math.max(scroller.clientHeight, window.innerHeight * 0.62);
    const visible = Math.ceil(height / rowHeight()) + 2 * MARGIN;
    const end = Math.min(total, all ? PRINTED : first + visible);
    const now = `${first}-${end}`;
    if (!force && now === painted) return;
    painted = now;
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.row : undefined;
    const parts = [];
    if (first > 0) parts.push(pad(first));
    for (let i = first; i < end; i++) parts.push(line(state.found[i], i));
    if (end < total && !all) parts.push(pad(total - end));
    if (!total) {
      const row = make("tr");
      row.append(make("td", "No parameter matches.", { colspan: String(columns.length) }));
      parts.push(row);
    }
    body.replaceChildren(...parts);
    if (focused !== undefined) button(Number(focused))?.focus({ preventScroll: true });
  };

  const line = (/** @type {number} */ index, /** @type {number} */ place) => {
    const row = rows[index];
    const verdict = data.verdicts[row[1]][0];
    const element = make("tr", "", { class: `v-${verdict}`, "aria-rowindex": String(place + 2), id: `p-${index}` });
    if (index === state.selected) element.classList.add("on");
    columns.forEach((column, number) => {
      const shown = column.show(row);
      if (!number) {
        const head = make("th", "", { scope: "row", class: "c-name" });
        head.append(make("button", shown, { type: "button", "data-row": String(index), title: shown }));
        element.append(head);
      } else {
        const kind = column.key === "verdict" ? "v" : column.key === "numel" ? "num" : "";
        const cell = make("td", column.key === "cause" ? "" : shown, { class: `${kind} c-${column.key}`, title: shown });
        if (column.key === "cause") cell.append(...row[11].flatMap((cause, i) => (i ? [", ", toCause(cause)] : [toCause(cause)])));
        element.append(cell);
      }
    });
    return element;
  };

  const toCause = (/** @type {number} */ cause, words = "") =>
    make("a", `${words}${cause + 1}`, { href: `#${prefix}cause-${cause}`, "aria-label": `Cause ${cause + 1}` });

  const button = (/** @type {number} */ index) =>
    /** @type {HTMLElement | null} */ (body.querySelector(`[data-row="${index}"]`));

  const reveal = (/** @type {number} */ place) => {
    const top = place * rowHeight();
    const head = headings.offsetHeight;
    if (top < scroller.scrollTop || top + rowHeight() + head > scroller.scrollTop + scroller.clientHeight) {
      scroller.scrollTop = Math.max(0, top - scroller.clientHeight / 2);
    }
    paint(true);
  };

  // ---- one parameter ----

  const boxOf = (/** @type {number} */ index, /** @type {string} */ start, last = index) => {
    let best = "";
    let size = Infinity;
    for (const [box, spans] of Object.entries(data.boxes)) {
      if (!box.startsWith(start) || !spans.some(([a, b]) => a <= index && index < b)) continue;
      if (last !== index && !spans.some(([a, b]) => a <= last && last < b)) continue;
      const count = spans.reduce((sum, [a, b]) => sum + b - a, 0);
      if (count < size) [best, size] = [box, count];
    }
    return best;
  };

  const select = (/** @type {number} */ index, focus = true) => {
    if (!rows[index]) return;
    let place = state.found.indexOf(index);
    if (place < 0) {
      reset();
      place = state.found.indexOf(index);
    }
    state.selected = index;
    reveal(place);
    if (focus) button(index)?.focus({ preventScroll: true });
    describe(index);
    history.replaceState(null, "", `#p-${index}`);
  };

  const describe = (/** @type {number} */ index) => {
    const row = rows[index];
    const panel = at("details");
    const list = make("dl");
    const entries = [
      ["verdict", `${verdictText(row[1])}: ${data.verdicts[row[1]][2]}`],
      ["reason", text(row[8])],
      ["culprit", text(row[9])],
      ["frozen at", text(row[12])],
      ["shape", `${text(row[2])} (${number.format(row[3])} elements) ${text(row[4])}`],
      ["module", text(row[10])],
      ["held by", text(row[5]) || "no optimizer"],
      ["gradient", gradientText(row)],
      ["value", changeText(row)],
    ];
    for (const [key, value] of entries) if (value) list.append(make("dt", key), make("dd", value));
    if (row[13].length) {
      const life = make("ol", "", { class: "life" });
      life.append(...row[13].map((event) => make("li", text(event))));
      const told = make("dd");
      told.append(life);
      list.append(make("dt", "its life"), told);
    }
    const actions = make("p", "", { class: "tools" });
    const box = boxOf(index, `${prefix}modules-`);
    if (box) {
      const show = make("button", "Show in the picture of the modules", { type: "button", id: "locate" });
      show.addEventListener("click", () => locate(box));
      actions.append(show);
    }
    for (const cause of row[11]) {
      if (document.getElementById(`${prefix}cause-${cause}`)) {
        actions.append(toCause(cause, "Cause "));
      }
    }
    panel.replaceChildren(make("h3", row[0]), list, actions);
    panel.hidden = false;
  };

  const locate = (/** @type {string} */ box) => {
    for (const old of document.querySelectorAll(".picture .here")) old.classList.remove("here");
    document.getElementById("modules-canvas")?.dispatchEvent(new CustomEvent("fxa-reveal", { detail: box }));
    const group = at(box);
    if (!group) return;
    group.classList.add("here");
    group.scrollIntoView({ block: "center", inline: "center" });
    const link = group.querySelector("a");
    if (link) link.focus({ preventScroll: true });
  };

  // ---- controls ----

  const reset = () => {
    state.query = "";
    state.spans = null;
    state.hidden.clear();
    /** @type {HTMLInputElement} */ (at("search")).value = "";
    for (const filter of at("filters").children) filter.setAttribute("aria-pressed", "true");
    at("clear").hidden = true;
    update();
  };

  const narrow = (/** @type {[number, number][]} */ spans, /** @type {string} */ title) => {
    reset();
    state.spans = spans;
    at("clear").textContent = `Only ${title} ×`;
    at("clear").hidden = false;
    scroller.scrollTop = 0;
    update();
    at("parameters").scrollIntoView({ block: "start" });
    if (state.found.length) button(state.found[0])?.focus({ preventScroll: true });
  };

  columns.forEach((column, index) => {
    const head = make("th", "", { scope: "col", class: `c-${column.key}`, "aria-sort": "none" });
    const sorter = make("button", column.head, { type: "button" });
    sorter.addEventListener("click", () => {
      state.down = state.sort === index && !state.down;
      state.sort = index;
      update();
    });
    head.append(sorter);
    headings.append(head);
  });
  // Names are never cut off: the table is as wide as the longest of them wants it, and scrolls.
  const longest = rows.reduce((most, row) => Math.max(most, row[0].length), 0);
  const width = Math.min(longest, LONGEST) * LETTER + 24;
  if (width > scroller.clientWidth / 4) {
    at("table").style.setProperty("--name", `${Math.ceil(width)}px`);
    at("table").style.setProperty("--least", `${Math.ceil(width + 890)}px`);
    at("table").classList.add("wide");
  }

  const counts = new Map();
  for (const row of rows) counts.set(row[1], (counts.get(row[1]) || 0) + 1);
  for (const [verdict, [name]] of data.verdicts.entries()) {
    if (!counts.has(verdict)) continue;
    const filter = make("button", `${verdictText(verdict)} ${number.format(counts.get(verdict))}`, {
      type: "button",
      class: `v-${name}`,
      "aria-pressed": "true",
      "data-verdict": name,
    });
    filter.addEventListener("click", () => {
      // The first click leaves only this verdict; from then on each button shows or hides its own.
      if (!state.hidden.size) {
        for (const other of counts.keys()) if (other !== verdict) state.hidden.add(other);
      } else if (!state.hidden.delete(verdict)) {
        state.hidden.add(verdict);
      }
      if (state.hidden.size === counts.size) state.hidden.clear();
      for (const button of at("filters").children) {
        const shown = ![...state.hidden].some((v) => data.verdicts[v][0] === button.getAttribute("data-verdict"));
        button.setAttribute("aria-pressed", String(shown));
      }
      scroller.scrollTop = 0;
      update();
    });
    at("filters").append(filter);
  }

  at("controls").addEventListener("submit", (event) => event.preventDefault());
  at("search").addEventListener("input", (event) => {
    state.query = /** @type {HTMLInputElement} */ (event.target).value.trim().toLowerCase();
    scroller.scrollTop = 0;
    update();
  });
  at("clear").addEventListener("click", () => {
    reset();
    at("search").focus();
  });
  scroller.addEventListener("scroll", () => paint());
  window.addEventListener("resize", () => paint());
  narrowScreen.addEventListener("change", () => paint(true));
  /** @type {HTMLDetailsElement[]} */
  let closed = [];
  window.addEventListener("beforeprint", () => {
    paint(true, true);
    closed = [.../** @type {NodeListOf<HTMLDetailsElement>} */ (document.querySelectorAll("details:not([open], #outline, #outline *)"))];
    for (const part of closed) part.open = true;
  });
  window.addEventListener("afterprint", () => {
    paint(true);
    for (const part of closed) part.open = false;
  });
  body.addEventListener("click", (event) => {
    const row = event.target instanceof Element ? event.target.closest("tr[id]") : null;
    if (row) select(Number(row.id.slice(2)));
  });
  scroller.addEventListener("keydown", (event) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    const current = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.row : undefined;
    if (!step || current === undefined) return;
    const next = state.found[state.found.indexOf(Number(current)) + step];
    if (next !== undefined) select(next);
    event.preventDefault();
  });

  document.addEventListener("fxa-narrow", (event) => {
    const [spans, title] = /** @type {CustomEvent} */ (event).detail;
    narrow(spans, title);
  });

  document.addEventListener("fxa-locate", (event) => {
    const [first, last] = /** @type {CustomEvent} */ (event).detail;
    const box = boxOf(first, `${prefix}modules-`, last) || boxOf(first, `${prefix}modules-`);
    if (box) locate(box);
  });

  // ---- pictures ----

  const follow = (/** @type {string} */ target) => {
    if (target.startsWith("p-") && rows[Number(target.slice(2))]) {
      at("parameters").scrollIntoView({ block: "start" });
      select(Number(target.slice(2)));
      return true;
    }
    if (data.boxes[target]) {
      narrow(data.boxes[target], data.titles[target] || "this box");
      return true;
    }
    if (target.startsWith("only-")) {
      const cause = Number(target.slice(5));
      /** @type {[number, number][]} */
      const spans = [];
      for (const [i, row] of rows.entries()) if (row[11].includes(cause)) spans.push([i, i + 1]);
      narrow(spans, `cause ${cause + 1}`);
      return true;
    }
    return false;
  };

  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a[href^='#']") : null;
    if (link && follow((link.getAttribute("href") || "#").slice(1))) event.preventDefault();
  });

  for (const canvas of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".canvas"))) {
    let from = /** @type {[number, number, number, number] | null} */ (null);
    let moved = false;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "mouse" && event.button === 0) {
        from = [event.clientX, event.clientY, canvas.scrollLeft, canvas.scrollTop];
        moved = false;
      }
    });
    window.addEventListener("pointermove", (event) => {
      if (!from) return;
      const [dx, dy] = [event.clientX - from[0], event.clientY - from[1]];
      if (Math.abs(dx) + Math.abs(dy) > 4) moved = true;
      if (moved) {
        canvas.classList.add("drag");
        canvas.scrollLeft = from[2] - dx;
        canvas.scrollTop = from[3] - dy;
      }
    });
    window.addEventListener("pointerup", () => {
      from = null;
      canvas.classList.remove("drag");
    });
    canvas.addEventListener("dragstart", (event) => event.preventDefault());
    // A drag that ends on a box is no click on it.
    canvas.addEventListener("click", (event) => moved && (event.stopPropagation(), event.preventDefault(), (moved = false)), true);
  }

  const canvas = document.getElementById("modules-canvas");
  const picture = canvas?.querySelector("svg");
  if (canvas && picture) {
    const pictures = /** @type {SVGSVGElement[]} */ ([...canvas.querySelectorAll(".version > svg")]);
    const shown = () => pictures.find((one) => !one.parentElement?.hidden) || pictures[0];
    const natural = () => shown().viewBox.baseVal.width * (96 / 72);
    let scale = 0;
    const zoom = (/** @type {number} */ to) => {
      scale = Math.min(4, Math.max(0.1, to));
      canvas.classList.add("zoomed");
      for (const one of pictures) {
        one.setAttribute("width", `${one.viewBox.baseVal.width * (96 / 72) * scale}`);
        one.removeAttribute("height");
      }
    };
    const fit = () => Math.min(1, (canvas.clientWidth - 4) / natural());
    const whole = (0.8 * window.innerHeight) / ((96 / 72) * picture.viewBox.baseVal.height);
    // What is unwell stands in the middle in letters that can be read, also where the whole would not fit.
    zoom(Math.max(LEGIBLE, Math.min(fit(), Math.max(0.62, whole))));
    const unwell = picture.querySelector(".node[class*='v-']:not(.v-trained):not(.v-frozen)");
    if (unwell) {
      const [box, frame] = [unwell.getBoundingClientRect(), canvas.getBoundingClientRect()];
      canvas.scrollTop = box.top - frame.top - (canvas.clientHeight - box.height) / 2;
      canvas.scrollLeft = box.left - frame.left - (canvas.clientWidth - box.width) / 2;
    }
    canvas.addEventListener("fxa-resized", () => zoom(scale));
    canvas.addEventListener("fxa-shown", () => {
      canvas.scrollTop = canvas.scrollLeft = 0;
      zoom(Math.min(scale, fit()));
    });
    for (const tool of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-zoom]"))) {
      tool.addEventListener("click", () => {
        const kind = tool.dataset.zoom;
        zoom(kind === "in" ? scale * 1.25 : kind === "out" ? scale / 1.25 : kind === "fit" ? fit() : 1);
      });
    }
    canvas.addEventListener("keydown", (event) => {
      if (event.key === "+" || event.key === "-") zoom(event.key === "+" ? scale * 1.25 : scale / 1.25);
    });
    canvas.addEventListener(
      "wheel",
      (event) => {
        if (!event.ctrlKey) return;
        event.preventDefault();
        zoom(event.deltaY < 0 ? scale * 1.15 : scale / 1.15);
      },
      { passive: false },
    );
  }

  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("button.copy"))) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const label = button.textContent;
      try {
        await navigator.clipboard.writeText(button.dataset.copy || "");
        button.textContent = "Copied";
      } catch {
        button.textContent = "The browser does not let it be copied";
      }
      setTimeout(() => (button.textContent = label), 2000);
    });
  }

  update();
  window.addEventListener("hashchange", () => follow(location.hash.slice(1)));
  if (location.hash) follow(location.hash.slice(1));
})();
