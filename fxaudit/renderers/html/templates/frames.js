// @ts-check
"use strict";
// Frames of the map close and open: what is inside of a closed one takes no room, and the picture shrinks.
//
// Nothing is laid out anew: of each axis the stretches are drawn together on which nothing but the inside of closed frames lies. Boxes,
// words and arrowheads that stay in sight keep their size and their order.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const canvas = document.getElementById("modules-canvas");
  if (!canvas) return;
  const LINE = 16;
  const GAP = 8;

  /** @typedef {[number, number]} Span */
  /** @typedef {{x: Span, y: Span}} Bounds */
  /** @typedef {{element: Element, names: string[], numbers: number[], text: string}} Shape */
  /** @typedef {{frame: Element, outline: Element, bounds: Bounds, words: SVGTextElement[]}} Frame */
  /** @typedef {{svg: SVGSVGElement, size: [number, number], shapes: Shape[], frames: Frame[], solid: [Element, Bounds][], closed: Set<Frame>}} Sheet */

  const NUMBER = /-?\d+(?:\.\d+)?(?:e-?\d+)?/g;
  /** Where each shape keeps its coordinates; x and y take turns in all of them. */
  const KEPT = { path: ["d"], polygon: ["points"], polyline: ["points"], ellipse: ["cx", "cy"], text: ["x", "y"] };

  const shapeOf = (/** @type {Element} */ element) => {
    const names = KEPT[/** @type {keyof typeof KEPT} */ (element.localName)];
    const text = names.map((name) => element.getAttribute(name) || "0").join(" ");
    return { element, names, text, numbers: (text.match(NUMBER) || []).map(Number) };
  };

  const spanOf = (/** @type {number[]} */ numbers) => /** @type {Span} */ ([Math.min(...numbers), Math.max(...numbers)]);
  const boundsOf = (/** @type {number[]} */ numbers) => ({
    x: spanOf(numbers.filter((_, n) => n % 2 === 0)),
    y: spanOf(numbers.filter((_, n) => n % 2 === 1)),
  });
  /** How wide words are, about: they may not be in sight when this is asked. */
  const wide = (/** @type {string} */ words, /** @type {number} */ size) => words.length * size * 0.62;
  const boundsOfText = (/** @type {Element} */ text, /** @type {number[]} */ [x, y]) => {
    const size = Number(text.getAttribute("font-size")) || 12;
    return /** @type {Bounds} */ ({ x: [x, x + wide(text.textContent || "", size)], y: [y - size, y + size / 3] });
  };
  const inside = (/** @type {Bounds} */ one, /** @type {Bounds} */ other) =>
    one.x[0] >= other.x[0] - 1 && one.x[1] <= other.x[1] + 1 && one.y[0] >= other.y[0] - 1 && one.y[1] <= other.y[1] + 1;

  const sheetOf = (/** @type {SVGSVGElement} */ svg) => {
    const shapes = [...svg.querySelectorAll(Object.keys(KEPT).join())].map(shapeOf);
    const known = new Map(shapes.map((shape) => [shape.element, shape]));
    /** @type {[Element, Bounds][]} */
    const solid = [];
    /** @type {Frame[]} */
    const frames = [];
    for (const { element, numbers } of shapes) {
      const group = element.parentElement?.closest(".node, .edge, .titles, .cluster");
      if (!group || !numbers.length) continue;
      if (group.classList.contains("node") && element.classList.contains("outline")) solid.push([group, boundsOf(numbers)]);
      else if (group.matches(".edge, .titles") && element.localName === "text") solid.push([element, boundsOfText(element, numbers)]);
      else if (group.matches(".edge") && element.localName === "polygon") solid.push([element, boundsOf(numbers)]);
      else if (group.matches(".cluster[id]") && element.classList.contains("outline")) {
        const words = /** @type {SVGTextElement[]} */ ([...svg.querySelectorAll(".titles text")].filter((t) => t.getAttribute("data-frame") === group.id));
        frames.push({ frame: group, outline: element, bounds: boundsOf(known.get(element)?.numbers || []), words });
      }
    }
    const box = svg.viewBox.baseVal;
    return /** @type {Sheet} */ ({ svg, size: [box.width, box.height], shapes, frames, solid, closed: new Set() });
  };

  /** Where each place of an axis goes, and by how much all of it gets shorter; `closed` have the length that they need. */
  const drawnTogether = (/** @type {Span[]} */ solid, /** @type {[number, number, number][]} */ closed) => {
    const ends = [...new Set([...solid.flat(), ...closed.flatMap(([low, high]) => [low, high])])].sort((a, b) => a - b);
    const over = (/** @type {Span} */ [low, high], /** @type {number} */ place) => low <= place && place <= high;
    const pieces = ends.slice(1).map((high, n) => {
      const middle = (ends[n] + high) / 2;
      return { low: ends[n], length: high - ends[n], middle, fixed: solid.some((span) => over(span, middle)), share: 0 };
    });
    for (const [low, high, need] of closed) {
      const own = pieces.filter((piece) => over([low, high], piece.middle));
      const free = own.filter((piece) => !piece.fixed).reduce((sum, piece) => sum + piece.length, 0);
      const kept = Math.max(0, need - (high - low - free));
      for (const piece of own) piece.share = Math.max(piece.share, free ? Math.min(1, kept / free) : 1, Math.min(1, GAP / piece.length));
    }
    for (const piece of pieces) if (piece.fixed || !closed.some(([low, high]) => over([low, high], piece.middle))) piece.share = 1;
    const move = (/** @type {number} */ place) =>
      pieces.reduce((moved, { low, length, share }) => moved - Math.min(Math.max(place - low, 0), length) * (1 - share), place);
    return { move, less: pieces.reduce((sum, { length, share }) => sum + length * (1 - share), 0) };
  };

  const said = (/** @type {Frame} */ frame) => [...frame.words.map((word) => word.textContent || ""), "▸ closed"];

  const lidOver = (/** @type {Sheet} */ sheet, /** @type {Frame} */ frame) => {
    const lid = document.createElementNS(SVG, "g");
    lid.setAttribute("class", `lid ${frame.frame.getAttribute("class") || ""}`);
    lid.classList.remove("under");
    lid.setAttribute("data-frame", frame.frame.id);
    lid.append(frame.outline.cloneNode(true));
    const { x, y } = boundsOf(shapeOf(frame.outline).numbers);
    const words = said(frame);
    words.forEach((text, n) => {
      const line = document.createElementNS(SVG, "text");
      line.textContent = text;
      line.setAttribute("x", String((x[0] + x[1]) / 2));
      line.setAttribute("y", String((y[0] + y[1]) / 2 + 4 + (n - (words.length - 1) / 2) * LINE));
      line.setAttribute("class", n ? "small" : "name");
      lid.append(line);
    });
    press(lid, `Open ${words[0]}`, false, () => toggle(sheet, frame));
    sheet.svg.querySelector(".graph")?.append(lid);
    return lid;
  };

  /** Draw a sheet with its closed frames closed; the lids by their frames. */
  const draw = (/** @type {Sheet} */ sheet) => {
    for (const lid of sheet.svg.querySelectorAll(".lid")) lid.remove();
    const closed = [...sheet.closed].filter((one) => ![...sheet.closed].some((other) => other !== one && inside(one.bounds, other.bounds)));
    const isUnder = (/** @type {Bounds} */ bounds) => closed.some((one) => inside(bounds, one.bounds));
    /** @type {Bounds[]} */
    const solid = [];
    for (const [element, bounds] of sheet.solid) {
      element.classList.toggle("under", isUnder(bounds));
      if (!isUnder(bounds)) solid.push(bounds);
    }
    for (const one of sheet.frames) one.frame.classList.toggle("under", !closed.includes(one) && isUnder(one.bounds));
    const needed = (/** @type {Frame} */ one) => [Math.max(...said(one).map((text, n) => wide(text, n ? 10 : 13.5))) + 20, LINE * said(one).length + 14];
    const across = drawnTogether(solid.map(({ x }) => x), closed.map((one) => [...one.bounds.x, needed(one)[0]]));
    const down = drawnTogether(solid.map(({ y }) => y), closed.map((one) => [...one.bounds.y, needed(one)[1]]));
    for (const { element, names, text, numbers } of sheet.shapes) {
      let n = 0;
      const moved = numbers.map((number, place) => (place % 2 ? down : across).move(number).toFixed(2));
      if (names.length > 1) names.forEach((name, place) => element.setAttribute(name, moved[place]));
      else element.setAttribute(names[0], text.replace(NUMBER, () => moved[n++]));
    }
    const [width, height] = [sheet.size[0] - across.less, sheet.size[1] - down.less];
    sheet.svg.setAttribute("viewBox", `0 0 ${width.toFixed(2)} ${height.toFixed(2)}`);
    sheet.svg.setAttribute("height", `${height.toFixed(0)}pt`);
    canvas.dispatchEvent(new CustomEvent("fxa-resized"));
    return new Map(closed.map((one) => [one, lidOver(sheet, one)]));
  };

  const toggle = (/** @type {Sheet} */ sheet, /** @type {Frame} */ frame) => {
    if (!sheet.closed.delete(frame)) sheet.closed.add(frame);
    const handle = draw(sheet).get(frame) || frame.words[0];
    /** @type {SVGElement} */ (handle).focus({ preventScroll: true });
    handle.scrollIntoView({ block: "nearest", inline: "nearest" });
  };

  const press = (/** @type {Element} */ handle, /** @type {string} */ label, /** @type {boolean} */ expanded, /** @type {() => void} */ act) => {
    const said = { role: "button", tabindex: "0", "aria-label": label, "aria-expanded": String(expanded) };
    for (const [name, value] of Object.entries(said)) handle.setAttribute(name, value);
    handle.addEventListener("click", act);
    handle.addEventListener("keydown", (event) => {
      const key = /** @type {KeyboardEvent} */ (event).key;
      if (key !== "Enter" && key !== " ") return;
      event.preventDefault();
      act();
    });
  };

  const sheets = /** @type {SVGSVGElement[]} */ ([...canvas.querySelectorAll(".version > svg")]).map(sheetOf);
  for (const sheet of sheets) {
    for (const frame of sheet.frames) {
      const [title] = frame.words;
      if (title) press(title, `Close ${title.textContent}`, true, () => toggle(sheet, frame));
    }
  }

  canvas.addEventListener("fxa-reveal", (event) => {
    const group = document.getElementById(/** @type {CustomEvent} */ (event).detail);
    const sheet = sheets.find(({ svg }) => group && svg.contains(group));
    const own = sheet?.solid.find(([element]) => element === group);
    if (!sheet || !own) return;
    for (const frame of [...sheet.closed]) if (inside(own[1], frame.bounds)) sheet.closed.delete(frame);
    draw(sheet);
  });
})();
