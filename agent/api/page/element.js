// Elements made by a call: no markup in strings, so nothing scanned or typed is ever read as HTML.

const SVG = "http://www.w3.org/2000/svg";

// An element with attributes (null, undefined and false leave one out, a function listens) and children.
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value !== null && value !== undefined && value !== false) {
      made.setAttribute(name, value === true ? "" : value);
    }
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

// One of the shapes that index.html defines; decoration, since a word always stands beside it.
export function shape(name) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#shape-${name}`);
  svg.setAttribute("class", `shape shape-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

const shown = new WeakMap();

// Fill a place anew, only when what is to be seen has changed: focus and live regions stay quiet.
export function fill(place, facts, build) {
  const now = JSON.stringify(facts);
  if (shown.get(place) === now) return;
  shown.set(place, now);
  place.replaceChildren(...[build()].flat().filter(Boolean));
}
