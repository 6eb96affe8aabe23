(() => {
  "use strict";
  const store = JSON.parse(document.getElementById("charts").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const divs = [...document.querySelectorAll("[data-chart]")];
  const narrow = () => innerWidth < 600;
  const root = document.documentElement;
  let printing = false;

  // Print is always light; elsewhere the page's theme decides.
  const PAPER = { "--ink": "#16202e", "--soft": "#48546a", "--card": "#ffffff", "--grid": "#e6eaf1", "--rule": "#c9d1dd", "--hover": "#f2f6fc" };
  const colour = (name) => printing ? PAPER[name] : getComputedStyle(root).getPropertyValue(name).trim();
  const inked = (text) => dark.matches && !printing
    ? text.replace("#0b1f3a", "#d5deeb").replace("rgba(11,31,58", "rgba(213,222,235") : text;

  // A figure as plotly takes it: arrays back in their places, the dark ink turned light where the page is dark.
  const restore = (node) => {
    if (typeof node === "string") return inked(node);
    if (Array.isArray(node)) return node.map(restore);
    if (node === null || typeof node !== "object") return node;
    if ("bdata" in node) return { ...node, bdata: store.arrays[node.bdata] };
    return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, restore(value)]));
  };

  const paintAxis = (axis) => {
    Object.assign(axis, { gridcolor: colour("--grid"), linecolor: colour("--rule"), tickcolor: colour("--rule") });
    axis.tickfont = { ...axis.tickfont, color: colour("--soft") };
    if (axis.title) axis.title.font = { ...axis.title.font, color: colour("--soft") };
    if (axis.rangeselector) Object.assign(axis.rangeselector, { bgcolor: colour("--hover"), activecolor: colour("--rule"), font: { color: colour("--ink"), size: 11 } });
    if (axis.rangeslider) Object.assign(axis.rangeslider, { bgcolor: colour("--card"), bordercolor: colour("--rule"), borderwidth: 1 });
  };

  const figureOf = (div) => {
    const { data, layout } = restore(store.figures[div.dataset.chart]);
    layout.paper_bgcolor = layout.plot_bgcolor = colour("--card");
    layout.font = { ...layout.font, color: colour("--ink"), family: getComputedStyle(document.body).fontFamily };
    layout.hoverlabel = { ...layout.hoverlabel, bgcolor: colour("--card"), bordercolor: colour("--rule"), font: { color: colour("--ink"), size: 12 } };
    layout.modebar = { bgcolor: "rgba(0,0,0,0)", color: colour("--soft"), activecolor: colour("--ink") };
    if (layout.legend) layout.legend.bgcolor = "rgba(0,0,0,0)";
    for (const [key, axis] of Object.entries(layout)) if (/^[xy]axis\d*$/.test(key)) paintAxis(axis);
    const tall = narrow() && layout.showlegend !== false && layout.xaxis;
    layout.height = Number(div.dataset.height) + (tall ? 60 : 0);
    div.style.height = `${layout.height}px`;
    if (narrow() && layout.xaxis) layout.margin = { ...layout.margin, l: 44, r: 6 };
    layout.autosize = !printing;
    if (printing) layout.width = printWidth(div);
    if ("linked" in div.dataset) for (const key of timeAxes(layout)) setRange(layout[key], ranges.get(div.dataset.linked));
    return { data, layout };
  };
  const printWidth = (div) => div.closest(".span2") ? 215 : div.closest(".span3") ? 330 : 680;
  const options = () => ({
    responsive: true, displaylogo: false, scrollZoom: false, displayModeBar: narrow() ? false : "hover",
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"], toImageButtonOptions: { format: "svg" },
  });

  // One time axis for all linked charts of a group; a chart out of sight follows when it comes into view.
  // A group that nobody has zoomed has no range here: its figures keep their own. null means all of the time.
  const ranges = new Map();
  const setRange = (axis, range) => {
    if (range) axis.range = range.slice();
    else if (range === null) { delete axis.range; axis.autorange = true; }
  };
  let following = false;
  const timeAxes = (layout) => Object.keys(layout).filter((key) => /^xaxis\d*$/.test(key));
  const follow = (targets) => {
    following = true;
    const moves = targets.filter((div) => div.dataset.range !== String(ranges.get(div.dataset.linked))).map((div) => {
      const range = ranges.get(div.dataset.linked);
      div.dataset.range = String(range);
      const changes = timeAxes(div.layout).map((axis) => range ? [`${axis}.range`, range.slice()] : [`${axis}.autorange`, true]);
      return Plotly.relayout(div, Object.fromEntries(changes));
    });
    Promise.allSettled(moves).then(() => { following = false; });
  };
  const seen = new Set();
  const watcher = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) isIntersecting ? seen.add(target) : seen.delete(target);
    follow([...seen]);
  });
  const zoomed = (div, event) => {
    if (following || printing) return;
    const key = Object.keys(event).find((name) => /^xaxis\d*\.(range|autorange)/.test(name));
    if (!key) return;
    const range = key.endsWith("autorange") ? null : div.layout[key.split(".")[0]].range.slice();
    ranges.set(div.dataset.linked, range);
    div.dataset.range = String(range);
    follow([...seen]);
  };

  const draw = async (div) => {
    const { data, layout } = figureOf(div);
    await Plotly.newPlot(div, data, layout, options());
    if (!("linked" in div.dataset)) return;
    div.dataset.range = String(ranges.get(div.dataset.linked));
    div.on("plotly_relayout", (event) => zoomed(div, event));
    watcher.observe(div);
  };
  const redraw = () => {
    for (const div of divs) {
      if (!div.layout) continue;
      const { data, layout } = figureOf(div);
      Plotly.react(div, data, layout, options());
      if (!printing) Plotly.Plots.resize(div);
    }
  };
  dark.addEventListener("change", redraw);
  addEventListener("beforeprint", () => { printing = true; redraw(); });
  addEventListener("afterprint", () => { printing = false; redraw(); });

  const sift = (box, rows, texts, count) => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    rows.forEach((row, place) => {
      row.hidden = !words.every((word) => texts[place].includes(word));
      left += !row.hidden;
    });
    count.textContent = left === rows.length ? `${left} ${left === 1 ? "row" : "rows"}` : `${left} of ${rows.length} rows`;
  };
  for (const box of document.querySelectorAll("[data-filter]")) {
    const rows = [...document.querySelectorAll(`#t-${CSS.escape(box.dataset.filter)} tbody tr`)];
    const texts = rows.map((row) => row.textContent.toLowerCase());
    const count = document.querySelector(`[data-count="${CSS.escape(box.dataset.filter)}"]`);
    box.addEventListener("input", () => sift(box, rows, texts, count));
    sift(box, rows, texts, count);
  }

  const links = new Map([...document.querySelectorAll(".toc a")].map((link) => [link.hash.slice(1), link]));
  const chapters = [...document.querySelectorAll("section[id]")];
  const spy = new IntersectionObserver(() => {
    const here = chapters.findLast((section) => section.getBoundingClientRect().top < 140);
    for (const [key, link] of links) link.classList.toggle("here", key === here?.id);
  }, { rootMargin: "-100px 0px -60% 0px", threshold: [0, 1] });
  chapters.forEach((section) => spy.observe(section));

  // One chart per turn, so that the page stays alive while it fills.
  const next = (place) => {
    if (place === divs.length) { root.dataset.ready = "true"; return; }
    draw(divs[place]).finally(() => setTimeout(next, 0, place + 1));
  };
  // The policy of the page allows scripts that stand in it, and this one does.
  const inflate = async () => {
    const packed = Uint8Array.from(atob(document.getElementById("plotly").textContent), (letter) => letter.charCodeAt(0));
    const script = document.createElement("script");
    script.textContent = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"))).text();
    document.head.append(script);
  };
  const excuse = () => divs.forEach((div) => { div.textContent = "This browser is too old to draw the charts: it knows no DecompressionStream."; });
  if (!divs.length) root.dataset.ready = "true";
  else if ("DecompressionStream" in window) inflate().then(() => next(0));
  else excuse();
})();
