// @ts-check
"use strict";
/** A parameter: name, then the indices of verdict and shape, its number of elements, those of dtype, param groups, states of gradient and
 * change, reason, culprit and module type, the numbers of its findings, where it was frozen, what happened to it; then the norms of its
 * gradient and of its change, and the share of its value that a step changed.
 * @typedef {[string, number, number, number, number, number, number, number, number, number, number, number[], number, number[], number | null, number | null, number | null]} Row */
/** @typedef {{verdicts: [string, string, string, number][], strings: string[], rows: Row[], boxes: Record<string, [number, number][]>, titles: Record<string, string>, closed: Record<string, string>, lines: [number, number][][]}} Data */

// What the page knows of its parameters: read once, when somebody asks first.
const fxaData = (() => {
  /** @type {Data | null} */
  let read = null;
  const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
  const VALUES = new Map([...DIGITS].map((digit, value) => [digit, value]));
  const RUN = 4;

  /** A column of whole numbers: `=` for each its digits, `*` each with how often it comes in a row. */
  const whole = (/** @type {string} */ text) => {
    const width = Number(text[1]);
    const number = (/** @type {number} */ at, /** @type {number} */ digits) => {
      let value = 0;
      for (let n = 0; n < digits; n++) value = value * 64 + /** @type {number} */ (VALUES.get(text[at + n]));
      return value;
    };
    /** @type {number[]} */
    const found = [];
    const step = text[0] === "*" ? width + RUN : width;
    for (let at = 2; at < text.length; at += step) {
      const value = number(at, width);
      for (let left = step > width ? number(at + width, RUN) : 1; left > 0; left--) found.push(value);
    }
    return found;
  };

  /** A column of sizes of three digits; null is one that is not known. */
  const sizes = (/** @type {{low: number, column: string}} */ { low, column }) =>
    whole(column).map((coded) => {
      if (coded < 2) return coded ? 0 : null;
      return Number(`${100 + ((coded - 2) % 900)}e${Math.floor((coded - 2) / 900) + low}`);
    });

  const named = (/** @type {{shared: string, rest: string, texts: string[]}} */ { shared, rest, texts }) => {
    const common = whole(shared);
    let name = "";
    return whole(rest).map((text, n) => (name = name.slice(0, common[n]) + texts[text]));
  };

  /** Spans of rows, [first, one past the last]. */
  const spans = (/** @type {string} */ text) => {
    const [gaps, lengths] = text.split(" ").map(whole);
    let end = 0;
    return gaps.map((gap, n) => {
      const first = end + gap;
      end = first + lengths[n];
      return /** @type {[number, number]} */ ([first, end]);
    });
  };

  return () => {
    if (read) return read;
    const data = JSON.parse(document.getElementById("data")?.textContent || "{}");
    const [kinds, gradient, change, update] = [whole(data.kind), sizes(data.gradient), sizes(data.change), sizes(data.update)];
    data.rows = named(data.names).map((name, n) => [name, ...data.kinds[kinds[n]], gradient[n], change[n], update[n]]);
    for (const box of Object.keys(data.boxes)) data.boxes[box] = spans(data.boxes[box]);
    data.lines = data.lines.map(spans);
    return (read = /** @type {Data} */ (data));
  };
})();
