// @ts-check
"use strict";
// Pointing at a line tells whose gradient passes through it, and how large the numbers are that it makes; pointing at a parameter lights its lines.
(() => {
  const number = new Intl.NumberFormat("en");
  const listed = /** @type {NodeListOf<HTMLTableRowElement>} */ (document.querySelectorAll("tr[data-line]"));
  const told = document.getElementById("line-told");
  const linesOf = (/** @type {HTMLElement} */ line) => fxaData().lines[Number(line.dataset.line)];
  const light = (/** @type {number} */ index) => {
    for (const line of listed) line.classList.toggle("lights", linesOf(line).some(([a, b]) => a <= index && index < b));
  };
  const tell = (/** @type {HTMLTableRowElement | null} */ line) => {
    for (const other of listed) other.classList.toggle("at", other === line);
    if (!told || !line) return;
    const names = [];
    let count = 0;
    for (const [first, end] of linesOf(line)) {
      for (let i = first; i < end && names.length < 4; i++) names.push(fxaData().rows[i][0]);
      count += end - first;
    }
    const words = [`line ${line.cells[0].textContent}: ${line.querySelector(".unseen")?.textContent || ""}`];
    if (names.length) words.push(names.join(", ") + (count > names.length ? `, … ${number.format(count - names.length)} more` : ""));
    told.replaceChildren(words.join(": "));
    if (line.dataset.sizes) {
      const made = document.createElement("span");
      made.textContent = `makes ${line.dataset.sizes}`;
      told.append(made);
    }
    told.hidden = false;
  };
  for (const kind of ["pointerover", "focusin"]) {
    document.addEventListener(kind, (event) => {
      const target = event.target instanceof Element ? event.target : null;
      const of = /** @type {HTMLElement | null} */ (target?.closest("[data-of]"));
      const row = target?.closest("tbody tr[id^='p-']");
      if (of || row) light(Number(of ? of.dataset.of : row?.id.slice(2)));
      const line = /** @type {HTMLTableRowElement | null} */ (target?.closest("tr[data-line]"));
      if (line || target?.closest(".listing")) tell(line);
      if (!of && !row) light(-1);
    });
  }

  for (const listing of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".listing"))) {
    // With the keyboard: the arrows go from line to line of the listing that has the focus.
    listing.addEventListener("keydown", (event) => {
      const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
      if (!step || event.target !== listing) return;
      const own = /** @type {HTMLTableRowElement[]} */ ([...listing.querySelectorAll("tr[data-line]")]);
      const now = own.findIndex((line) => line.classList.contains("at"));
      const next = own[now < 0 ? (step > 0 ? 0 : own.length - 1) : now + step];
      if (!next) return;
      tell(next);
      next.scrollIntoView({ block: "nearest" });
      event.preventDefault();
    });
  }
})();
