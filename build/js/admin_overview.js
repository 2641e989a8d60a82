// Draws the charts of the overview in place of the pictures that came with the page, with the figures of the tables
// beneath them. Colours are the stylesheet's, and follow the scheme.
import uPlot from 'uplot';

const css = (name) => getComputedStyle(document.body).getPropertyValue(name).trim();
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
const number = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 2 });
const short = new Intl.NumberFormat('en-GB', { notation: 'compact', maximumFractionDigits: 1 });

function figures(box) {
  const rows = [...document.getElementById(box.dataset.table).tBodies[0].rows];
  return {
    at: rows.map((r) => Number(r.dataset.at)),
    values: rows.map((r) => (r.dataset.value === '' ? null : Number(r.dataset.value))),
    labels: rows.map((r) => r.cells[1].textContent),
  };
}

// tip says the day and its figure beside the pointer.
function tip(box, labels, at) {
  const text = document.createElement('output');
  text.className = 'chart-tip';
  text.hidden = true;
  return {
    hooks: {
      init: [(u) => u.over.append(text)],
      setCursor: [
        (u) => {
          const i = u.cursor.idx;
          text.hidden = i == null || u.cursor.left < 0;
          if (text.hidden) return;
          text.textContent = `${day.format(at[i] * 1000)}: ${labels[i]}${box.dataset.unit === '%' ? '' : ` ${box.dataset.unit}`}`;
          const left = Math.min(Math.max(0, u.cursor.left + 12), u.over.clientWidth - text.offsetWidth);
          text.style.transform = `translate(${left}px, 4px)`;
        },
      ],
    },
  };
}

function options(box, data) {
  const bars = box.dataset.kind === 'bars';
  const colour = css('--chart');
  const axis = { stroke: css('--chart-text'), grid: { stroke: css('--chart-grid'), width: 1 }, ticks: { show: false }, font: '12px system-ui, sans-serif' };
  return {
    width: box.clientWidth,
    height: box.clientHeight,
    tzDate: (ts) => uPlot.tzDate(new Date(ts * 1000), 'UTC'),
    legend: { show: false },
    padding: [8, 8, 0, 0],
    cursor: { y: false, drag: { x: false, y: false }, points: { show: !bars } },
    plugins: [tip(box, data.labels, data.at)],
    scales: {
      x: { range: (_, from, to) => [from - 43200, to + 43200] },
      y: { range: (_, from, to) => [0, box.dataset.unit === '%' ? 100 : Math.max(to ?? 0, 1) * 1.05] },
    },
    series: [
      {},
      bars
        ? { fill: colour, stroke: colour, width: 0, paths: uPlot.paths.bars({ size: [0.7, 28], radius: 0.15 }), points: { show: false } }
        : { stroke: colour, width: 2, spanGaps: true, points: { show: true, size: 5, fill: colour } },
    ],
    axes: [
      { ...axis, grid: { show: false }, values: (_, splits) => splits.map((s) => day.format(s * 1000)), space: 64, size: 28 },
      { ...axis, size: 52, values: (_, splits) => splits.map((s) => (box.dataset.unit === '%' ? `${number.format(s)} %` : short.format(s))) },
    ],
  };
}

const drawn = new Map();

function draw(box) {
  const data = figures(box);
  drawn.get(box)?.destroy();
  box.replaceChildren();
  drawn.set(box, new uPlot(options(box, data), [data.at, data.values], box));
}

const boxes = [...document.querySelectorAll('.chart')];
boxes.forEach(draw);
const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) drawn.get(target)?.setSize({ width: target.clientWidth, height: target.clientHeight });
});
boxes.forEach((box) => sizes.observe(box));
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => boxes.forEach(draw));
