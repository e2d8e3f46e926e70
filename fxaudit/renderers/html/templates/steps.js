// @ts-check
"use strict";
// A slider goes through the recorded steps: the film, the rows of the table and a line in the charts follow it.
(() => {
  /** @param {string} id @returns {HTMLElement} */
  const at = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
  const scrub = /** @type {HTMLInputElement | null} */ (document.getElementById("scrub"));
  if (scrub) {
    const every = /** @type {HTMLInputElement} */ (at("every"));
    at("scrubber").hidden = Number(scrub.max) < 2;
    const show = () => {
      const now = Number(scrub.value);
      at("scrubbed").textContent = every.checked ? `all ${scrub.max}` : `${now} of ${scrub.max}`;
      at("loop").classList.toggle("scrubbing", !every.checked);
      for (const row of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("#numbers tbody tr"))) {
        row.hidden = !every.checked && row.dataset.at !== scrub.value;
      }
      for (const frame of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".frame"))) {
        frame.hidden = !every.checked && !(Number(frame.dataset.first) <= now && now <= Number(frame.dataset.last));
      }
      for (const chart of /** @type {NodeListOf<SVGElement>} */ (document.querySelectorAll(".chart"))) {
        const x = String(Number(chart.dataset.left) + Number(chart.dataset.step) * (now - 1));
        for (const end of ["x1", "x2"]) chart.querySelector(".cursor")?.setAttribute(end, x);
      }
    };
    scrub.addEventListener("input", () => {
      every.checked = false;
      show();
    });
    every.addEventListener("input", show);
    let all = every.checked;
    window.addEventListener("beforeprint", () => {
      all = every.checked;
      every.checked = true;
      show();
    });
    window.addEventListener("afterprint", () => {
      every.checked = all;
      show();
    });
    show();
  }
})();
