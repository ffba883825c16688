// Every text whose contrast (WCAG 2.2, 1.4.3) with what is painted behind it is less than 4.5. Behind a text of a
// picture is the shape that holds its middle, the last that is filled.
(() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = c => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1); const d = canvas.getImageData(0, 0, 1, 1).data; return [d[0], d[1], d[2], d[3] / 255]; };
  const over = (top, under, a) => top.slice(0, 3).map((v, i) => v * top[3] * a + under[i] * (1 - top[3] * a));
  const light = c => { const [r, g, b] = c.map(v => { v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
  const ratio = (a, b) => { const x = light(a), y = light(b); return (Math.max(x, y) + .05) / (Math.min(x, y) + .05); };
  const behind = e => { const chain = []; for (let p = e; p && p.nodeType === 1; p = p.parentElement) chain.unshift(p);
    return chain.reduce((under, p) => over(rgba(getComputedStyle(p).backgroundColor), under, 1), [255, 255, 255]); };
  const wrong = new Set();
  let seen = 0;
  const check = (e, colour, back) => { seen++; const r = ratio(over(rgba(colour), back, 1), back);
    if (r < 4.5) wrong.add(r.toFixed(2) + ': ' + (e.getAttribute('class') || e.tagName) + ' "' + e.textContent.trim().slice(0, 40) + '"'); };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n = walker.nextNode(); n; n = walker.nextNode()) {
    const e = n.parentElement;
    if (!n.textContent.trim() || e.closest('svg') || !e.getClientRects().length) continue;
    check(e, getComputedStyle(e).color, behind(e));
  }
  for (const svg of document.querySelectorAll('svg')) {
    const paper = behind(svg);
    let back = [];
    for (const e of svg.querySelectorAll('path, text')) {
      const style = getComputedStyle(e);
      if (e.tagName === 'path') { if (style.fill !== 'none') back.push([e, rgba(style.fill), +style.fillOpacity]); continue; }
      const b = e.getBBox(), at = svg.createSVGPoint();
      let under = paper;
      for (const share of [.05, .5, .95]) {
        at.x = b.x + b.width * share; at.y = b.y + b.height / 2;
        under = back.reduce((u, [path, fill, a]) => path.isPointInFill(at) ? over(fill, u, a) : u, paper);
        check(e, style.fill, under);
      }
    }
  }
  if (seen < 100) wrong.add('only ' + seen + ' texts were looked at');
  return [...wrong];
})()
