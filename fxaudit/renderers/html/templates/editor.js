// @ts-check
"use strict";
// Lines open in the reader's editor. The report holds no path of anybody's machine: the reader names the folder.
(() => {
  /** @type {Record<string, (file: string, line: string) => string>} */
  const EDITORS = {
    "VS Code": (file, line) => `vscode://file${file}:${line}`,
    Cursor: (file, line) => `cursor://file${file}:${line}`,
    Zed: (file, line) => `zed://file${file}:${line}`,
    "PyCharm, IntelliJ": (file, line) => `idea://open?file=${file}&line=${line}`,
  };
  const bar = document.getElementById("editor");
  const places = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".place[data-file]"));
  if (!bar || !places.length) return;

  const kept = (/** @type {string} */ key, /** @type {string | undefined} */ value = undefined) => {
    try {
      if (value !== undefined) localStorage.setItem(`fxaudit-${key}`, value);
      return localStorage.getItem(`fxaudit-${key}`) || "";
    } catch {
      return ""; // a page from a disk may not be allowed to keep anything
    }
  };
  const here = location.protocol === "file:" ? decodeURIComponent(location.pathname).replace(/[^/]*$/, "") : "";
  const isAbsolute = (/** @type {string} */ path) => /^(\/|[A-Za-z]:[\\/])/.test(path);

  const choice = document.createElement("select");
  choice.append(...["no editor", ...Object.keys(EDITORS)].map((name) => new Option(name, name)));
  const folder = document.createElement("input");
  folder.type = "text";
  folder.spellcheck = false;
  folder.size = 36;
  choice.value = kept("editor") in EDITORS ? kept("editor") : "no editor";
  folder.value = kept("folder") || here;
  const labelled = (/** @type {string} */ text, /** @type {HTMLElement} */ control) => {
    const label = document.createElement("label");
    label.append(`${text} `, control);
    return label;
  };
  const where = labelled("in the folder", folder);
  bar.append(labelled("Open lines with", choice), where);
  bar.hidden = false;

  const link = () => {
    const editor = EDITORS[choice.value];
    where.hidden = !editor;
    for (const old of document.querySelectorAll("a.open")) old.remove();
    for (const place of editor ? places : []) {
      const file = place.dataset.file || "";
      const base = folder.value.trim();
      if (!isAbsolute(file) && !isAbsolute(base)) continue;
      const whole = isAbsolute(file) ? file : `${base.replace(/[\\/]*$/, "")}/${file}`;
      const path = encodeURI(whole.replaceAll("\\", "/").replace(/^(?=[A-Za-z]:)/, "/")).replace(/[?#&]/g, encodeURIComponent);
      const open = document.createElement("a");
      open.className = "open";
      open.href = editor(path, place.dataset.line || "1");
      open.textContent = "open";
      open.setAttribute("aria-label", `Open ${file}, line ${place.dataset.line}`);
      place.after(" ", open);
    }
  };
  for (const control of [choice, folder]) {
    control.addEventListener("input", () => {
      kept("editor", choice.value);
      kept("folder", folder.value);
      link();
    });
  }
  link();
})();
