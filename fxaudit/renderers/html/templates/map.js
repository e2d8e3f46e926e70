// @ts-check
"use strict";
// Modules of the map open: a closed box shows what is inside.
(() => {
  const canvas = document.getElementById("modules-canvas");
  const way = document.getElementById("way");
  if (!canvas || !way) return;
  const versions = /** @type {HTMLElement[]} */ ([...canvas.querySelectorAll(".version")]);
  const insides = new Map(versions.filter((v) => v.dataset.inside).map((v) => [v.dataset.inside || "", v]));
  const choices = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-version]"));
  const told = document.getElementById("versioned");
  const titleOf = (/** @type {string} */ box) => fxaData().titles[box] || "this box";
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
      document.dispatchEvent(new CustomEvent("fxa-narrow", { detail: [fxaData().boxes[box], titleOf(box)] })),
    );
    way.append(...parts, " ", table, button("In the list", () => list(box)));
  };

  const list = (/** @type {string} */ box) =>
    document.dispatchEvent(new CustomEvent("fxa-list", { detail: fxaData().closed[box] }));

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
    if (!inside && !(box in fxaData().closed)) return;
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
  });
})();
