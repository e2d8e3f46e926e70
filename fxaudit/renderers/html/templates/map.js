// @ts-check
"use strict";
// Modules of the map open and close: a closed box shows what is inside, a frame is closed by its title.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const canvas = document.getElementById("modules-canvas");
  const way = document.getElementById("way");
  if (!canvas || !way) return;
  /** @type {any} read when a box is opened */
  let data = null;
  const read = () => (data ||= JSON.parse(document.getElementById("data")?.textContent || "{}"));
  const versions = /** @type {HTMLElement[]} */ ([...canvas.querySelectorAll(".version")]);
  const insides = new Map(versions.filter((v) => v.dataset.inside).map((v) => [v.dataset.inside || "", v]));
  const choices = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-version]"));
  const told = document.getElementById("versioned");
  const titleOf = (/** @type {string} */ box) => read().titles[box] || "this box";
  const around = (/** @type {HTMLElement} */ version) =>
    /** @type {HTMLElement | null} */ (document.getElementById(version.dataset.inside || "")?.closest(".version"));

  const show = (/** @type {HTMLElement} */ version) => {
    for (const other of versions) other.hidden = other !== version;
    const chosen = version.dataset.inside ? 0 : versions.indexOf(version);
    for (const choice of choices) choice.setAttribute("aria-pressed", String(Number(choice.dataset.version) === chosen));
    if (told) told.textContent = version.dataset.told || "";
    tellTheWay(version);
    canvas.dispatchEvent(new CustomEvent("fxa-shown", { detail: version }));
  };

  const button = (/** @type {string} */ text, /** @type {() => void} */ act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.addEventListener("click", act);
    return made;
  };

  const tellTheWay = (/** @type {HTMLElement} */ version) => {
    const box = version.dataset.inside;
    way.hidden = !box;
    way.replaceChildren();
    if (!box) return;
    const here = document.createElement("strong");
    here.textContent = titleOf(box);
    /** @type {(Node | string)[]} */
    const parts = [here];
    for (let outer = around(version); outer; outer = around(outer)) {
      const target = outer;
      parts.unshift(button(outer.dataset.inside ? titleOf(outer.dataset.inside) : "Whole map", () => back(target, version)), "›");
    }
    const table = button("Its parameters in the table", () =>
      document.dispatchEvent(new CustomEvent("fxa-narrow", { detail: [read().boxes[box], titleOf(box)] })),
    );
    way.append(...parts, " ", table, button("In the list", () => list(box)));
  };

  const list = (/** @type {string} */ box) =>
    document.dispatchEvent(new CustomEvent("fxa-list", { detail: read().closed[box] }));

  /** Close what is open, and show the box again that it was opened from. */
  const back = (/** @type {HTMLElement} */ to, /** @type {HTMLElement} */ from) => {
    let box = from.dataset.inside || "";
    for (let outer = around(from); outer && outer !== to; outer = around(outer)) box = outer.dataset.inside || "";
    show(to);
    const group = document.getElementById(box);
    group?.scrollIntoView({ block: "nearest", inline: "nearest" });
    /** @type {HTMLElement | null | undefined} */ (group?.querySelector("a"))?.focus({ preventScroll: true });
  };

  for (const choice of choices) choice.addEventListener("click", () => show(versions[Number(choice.dataset.version)]));
  if (choices.length) /** @type {HTMLElement} */ (document.getElementById("versions")).hidden = false;

  canvas.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a[href^='#']") : null;
    const box = link ? (link.getAttribute("href") || "#").slice(1) : "";
    const inside = insides.get(box);
    if (!inside && !(box in read().closed)) return;
    event.preventDefault();
    event.stopPropagation();
    if (inside) {
      show(inside);
      way.querySelector("button")?.focus();
    } else list(box);
  });

  canvas.addEventListener("fxa-reveal", (event) => {
    const group = document.getElementById(/** @type {CustomEvent} */ (event).detail);
    const version = /** @type {HTMLElement | null | undefined} */ (group?.closest(".version"));
    if (version?.hidden) show(version);
    for (const lid of canvas.querySelectorAll(".lid")) if (group && covers(lid, group)) open(lid);
  });

  // ---- frames: a closed one is covered by a lid, the arrows still lead to it and from it ----

  const covers = (/** @type {Element} */ one, /** @type {Element} */ other) => {
    const [a, b] = [one.getBoundingClientRect(), other.getBoundingClientRect()];
    return a.left - 1 <= b.left && b.right <= a.right + 1 && a.top - 1 <= b.top && b.bottom <= a.bottom + 1;
  };
  const titles = (/** @type {Element} */ picture, /** @type {string} */ frame) =>
    /** @type {SVGTextElement[]} */ ([...picture.querySelectorAll(".titles text")].filter((t) => t.getAttribute("data-frame") === frame));
  const press = (/** @type {Element} */ handle, /** @type {string} */ label, /** @type {() => void} */ act) => {
    for (const [name, value] of [["role", "button"], ["tabindex", "0"], ["aria-label", label]]) handle.setAttribute(name, value);
    handle.addEventListener("click", act);
    handle.addEventListener("keydown", (event) => {
      const key = /** @type {KeyboardEvent} */ (event).key;
      if (key !== "Enter" && key !== " ") return;
      event.preventDefault();
      act();
    });
  };

  const close = (/** @type {Element} */ frame) => {
    const picture = frame.closest("svg");
    const outline = frame.querySelector(".outline");
    if (!picture || !outline) return;
    const words = titles(picture, frame.id);
    const lid = document.createElementNS(SVG, "g");
    lid.setAttribute("class", `lid ${frame.getAttribute("class") || ""}`);
    lid.setAttribute("data-frame", frame.id);
    lid.append(outline.cloneNode(true));
    const box = /** @type {SVGGraphicsElement} */ (outline).getBBox();
    const said = [...words.map((word) => word.textContent || ""), "▸ closed"];
    said.forEach((text, n) => {
      const line = document.createElementNS(SVG, "text");
      line.textContent = text;
      line.setAttribute("x", String(box.x + box.width / 2));
      line.setAttribute("y", String(box.y + box.height / 2 + (n - (said.length - 1) / 2) * 17));
      line.setAttribute("class", n ? "small" : "name");
      lid.append(line);
    });
    for (const part of picture.querySelectorAll(".node, .cluster, .titles text, .lid")) {
      if (part !== frame && covers(frame, part)) part.classList.add("under");
    }
    picture.querySelector(".graph")?.append(lid);
    press(lid, `Open ${words[0]?.textContent || ""}`, () => open(lid));
    lid.focus({ preventScroll: true });
  };

  const open = (/** @type {Element} */ lid) => {
    const picture = lid.closest("svg");
    const frame = lid.getAttribute("data-frame") || "";
    lid.remove();
    if (!picture) return;
    for (const part of picture.querySelectorAll(".under")) part.classList.remove("under");
    // What lies under another lid stays there.
    for (const other of picture.querySelectorAll(".lid")) {
      for (const part of picture.querySelectorAll(".node, .cluster, .titles text, .lid")) {
        const own = part === other || part.id === other.getAttribute("data-frame");
        if (!own && covers(other, part)) part.classList.add("under");
      }
    }
    titles(picture, frame)[0]?.focus({ preventScroll: true });
  };

  for (const picture of canvas.querySelectorAll(".version > svg")) {
    for (const frame of picture.querySelectorAll(".cluster[id]")) {
      const [title] = titles(picture, frame.id);
      if (title) press(title, `Close ${title.textContent}`, () => close(frame));
    }
  }
})();
