// What a screenshot cannot be asked: text cut off, glyphs that no font has, words of the other
// language. Marked as what it is, a text passes: lang="zh" / lang="en" for a text that is meant in
// that language, data-verbatim for what people are called and what a device says.
(language) => {
  const findings = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) {
    findings.push(`the page is ${root.scrollWidth - root.clientWidth} px wider than the window`);
  }

  const visible = (element) =>
    element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) &&
    element.getClientRects().length > 0;
  const described = (element) => {
    const name = element.tagName.toLowerCase();
    return element.id ? `${name}#${element.id}` : `${name}.${element.className}`;
  };

  // --- text cut off -------------------------------------------------------------------------
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const holder = node.parentElement;
    const text = node.textContent.trim();
    if (!text || !holder || holder.closest("script, style, noscript, template")) continue;
    if (!visible(holder) || holder.closest(".visually-hidden")) continue;
    texts.push([text, holder]);
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    let shortened = false; // by an ellipsis, and whole in its title
    for (let outer = holder; outer && outer !== document.body; outer = outer.parentElement) {
      const style = getComputedStyle(outer);
      const frame = outer.getBoundingClientRect();
      const cutX = style.overflowX === "hidden" || style.overflowX === "clip";
      const cutY = style.overflowY === "hidden" || style.overflowY === "clip";
      const ellipsis = style.textOverflow === "ellipsis" && outer.title;
      shortened ||= Boolean(cutX && ellipsis);
      if (cutX && !ellipsis && (box.right > frame.right + 1 || box.left < frame.left - 1)) {
        findings.push(`"${text.slice(0, 30)}" is cut off in ${described(outer)}`);
        break;
      }
      if (cutY && (box.bottom > frame.bottom + 2 || box.top < frame.top - 2)) {
        findings.push(`"${text.slice(0, 30)}" is cut off in ${described(outer)}`);
        break;
      }
      if (["auto", "scroll"].includes(style.overflowX)) break;
    }
    if (box.right > root.clientWidth + 1 && !shortened && !holder.closest("[data-scrolls]")) {
      findings.push(`"${text.slice(0, 30)}" runs out of the window`);
    }
  }

  // --- glyphs -------------------------------------------------------------------------------
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 40;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const draw = (character, font) => {
    pen.clearRect(0, 0, 40, 40);
    pen.font = font;
    pen.fillText(character, 4, 30);
    return pen.getImageData(0, 0, 40, 40).data.join();
  };
  const seen = new Set();
  for (const [text, holder] of texts) {
    const family = getComputedStyle(holder).fontFamily;
    const font = `24px ${family}`;
    for (const character of text) {
      if (/\s/u.test(character) || character < "\u0080" || seen.has(character + family)) continue;
      seen.add(character + family);
      if (draw(character, font) === draw("\u{10FFFD}", font)) {
        findings.push(`no font has ${character} (U+${character.codePointAt(0).toString(16)})`);
      }
    }
  }

  // --- words of the other language ------------------------------------------------------------
  const other = language === "en" ? "zh" : "en";
  const foreign = language === "en" ? /\p{Script=Han}/u : /[A-Za-z]{3,}/u;
  const known = /\b([A-Z]{6}[0-9]|EPL|udev|PIN|QR|EHC|USB|ZPL|HTTPS?|API|TOTP|CSV|JSON|PNG|One Code|English|EMPI|Enter|Esc|Tab|Space|Shift|Ctrl|HIS|MAC|UTC|SHA|Argon2id|TLS|MQTT|Ed25519|Chromium)\b/gu;
  const marked = (element) =>
    element.closest(`[data-verbatim], code, kbd, samp, [lang^="${other}"]:not(html)`);
  const judge = (text, element, where) => {
    if (marked(element)) return;
    const rest = language === "en" ? text : text.replace(known, "");
    if (foreign.test(rest)) {
      findings.push(`untranslated ${where} in ${described(element)}: "${text.slice(0, 40)}"`);
    }
  };
  for (const [text, holder] of texts) judge(text, holder, "text");
  for (const element of document.querySelectorAll("[title], [aria-label], [placeholder], [alt]")) {
    if (!visible(element)) continue;
    for (const name of ["title", "aria-label", "placeholder", "alt"]) {
      const text = element.getAttribute(name);
      if (text) judge(text, element, name);
    }
  }
  if (!(root.lang || "").startsWith(language)) {
    findings.push(`the document says its language is "${root.lang}"`);
  }
  return findings;
}
