// What is wrong with how a page is laid out: it scrolls sideways, or texts of a picture lie outside of it, on each other or below a
// shape. All of it is measured with every part of the page opened.
(() => {
  document.querySelectorAll('details').forEach(d => d.open = true);
  const wrong = [];
  if (document.documentElement.scrollWidth > innerWidth) wrong.push('the page is ' + document.documentElement.scrollWidth + ' px wide, its window ' + innerWidth);
  for (const svg of document.querySelectorAll('svg')) {
    const name = svg.querySelector('title').textContent, view = svg.viewBox.baseVal;
    const texts = [...svg.querySelectorAll('text')].map(t => ({t, b: t.getBBox()}));
    for (const {t, b} of texts)
      if (b.x < -.5 || b.y < -.5 || b.x + b.width > view.width + .5 || b.y + b.height > view.height + .5)
        wrong.push(name + ': "' + t.textContent + '" lies outside');
    texts.sort((a, b) => a.b.x - b.b.x);
    for (let i = 0; i < texts.length; i++)
      for (let j = i + 1; j < texts.length && texts[j].b.x < texts[i].b.x + texts[i].b.width - 1; j++) {
        const a = texts[i].b, c = texts[j].b;
        if (Math.min(a.y + a.height, c.y + c.height) - Math.max(a.y, c.y) > 3)
          wrong.push(name + ': "' + texts[i].t.textContent + '" and "' + texts[j].t.textContent + '" overlap');
      }
    for (const {t, b} of texts) {
      const at = svg.createSVGPoint();
      at.y = b.y + b.height / 2;
      for (const path of svg.querySelectorAll('path'))
        for (const share of [.1, .5, .9]) {
          at.x = b.x + b.width * share;
          if (t.compareDocumentPosition(path) & Node.DOCUMENT_POSITION_FOLLOWING && getComputedStyle(path).fill !== 'none' && path.isPointInFill(at)) {
            wrong.push(name + ': "' + t.textContent + '" is covered by a shape of class ' + path.getAttribute('class'));
            break;
          }
        }
    }
    for (const path of svg.querySelectorAll('path')) {
      const b = path.getBBox();
      if (b.x < -1 || b.y < -1 || b.x + b.width > view.width + 1 || b.y + b.height > view.height + 1)
        wrong.push(name + ': a shape of class ' + path.getAttribute('class') + ' lies outside');
    }
  }
  return wrong;
})()
