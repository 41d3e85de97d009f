// Draws the charts that pages describe, and says where the reader is after a part was replaced.
// Nothing here decides anything: what a chart shows stands in the table beside it.
"use strict";

(() => {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const series = [1, 2, 3, 4, 5, 6].map((one) => colour(`--series-${one}`));
  const quiet = colour("--ink-quiet");
  const font = getComputedStyle(document.body).fontFamily;
  const written = (value, unit) =>
    value === null || value === undefined
      ? "–"
      : `${value.toLocaleString(undefined, { maximumFractionDigits: 2 })} ${unit}`;
  const short = (value) =>
    Math.abs(value) >= 10000 ? `${(value / 1000).toLocaleString()}k` : value.toLocaleString();

  const common = (what) => ({
    textStyle: { fontFamily: font, color: quiet },
    animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    animationDuration: 300,
    color: series,
    grid: { left: 8, right: 16, top: 40, bottom: 4, containLabel: true },
    legend: { top: 0, left: 0, itemWidth: 14, itemHeight: 8, textStyle: { color: quiet, fontSize: 12 } },
    tooltip: {
      trigger: "axis",
      renderMode: "richText",
      axisPointer: { type: what.bars ? "shadow" : "line" },
      valueFormatter: (value) => written(value, what.unit),
    },
  });
  const amounts = (more) => ({
    type: "value",
    splitLine: { lineStyle: { color: colour("--line") } },
    axisLabel: { color: quiet, fontSize: 11, formatter: short },
    ...more,
  });
  const labels = (what, more) => ({
    type: "category",
    data: what.labels,
    axisTick: { show: false },
    axisLine: { lineStyle: { color: colour("--line-strong") } },
    axisLabel: { color: quiet, fontSize: 11, ...more },
  });

  const goalLine = (what) => ({
    silent: true,
    symbol: "none",
    label: { formatter: `${what.goalName} ${what.goal} %`, position: "insideStartTop", color: quiet, fontSize: 11 },
    lineStyle: { color: colour("--bad"), type: "dotted", width: 1.5 },
    data: [{ yAxis: what.goal }],
  });
  const roomForGoal = (what) => ({
    scale: true,
    min: (value) => Math.floor(Math.min(value.min, what.goal ?? value.min) - 0.5),
    max: (value) => Math.ceil(Math.max(value.max, what.goal ?? value.max) + 0.5),
  });

  // A band between two lines, drawn month by month; its tooltip tells both of its sides.
  const band = (what) => ({
    name: what.name,
    type: "custom",
    color: series[2],
    z: 1,
    encode: { x: 0, y: [1, 2], tooltip: [1, 2] },
    data: what.low.map((low, at) => [at, low, what.high[at]]),
    renderItem: (params, api) => {
      const at = params.dataIndex;
      const sides = [at, at + 1].map((one) => [what.low[one], what.high[one]]);
      if (sides.flat().some((one) => one === null || one === undefined)) return null;
      const [[low, high], [nextLow, nextHigh]] = sides;
      return {
        type: "polygon",
        silent: true,
        shape: { points: [api.coord([at, low]), api.coord([at, high]), api.coord([at + 1, nextHigh]), api.coord([at + 1, nextLow])] },
        style: { fill: series[2], opacity: 0.18 },
      };
    },
  });

  const kinds = {
    trend: (what) => ({
      ...common(what),
      xAxis: labels(what),
      // Bars begin at nothing; a line's axis has room for the goal it is held against.
      yAxis: what.bars
        ? amounts()
        : amounts(roomForGoal(what)),
      series: what.series.map((one, at) => ({
        name: one.name,
        data: one.values,
        type: at === 0 && what.bars ? "bar" : "line",
        barMaxWidth: 22,
        symbol: "circle",
        symbolSize: at === 0 ? 8 : 4,
        lineStyle: { width: at === 0 ? 3 : 2, type: at === 0 ? "solid" : "dashed" },
        markLine: at === 0 && what.goal !== null ? goalLine(what) : undefined,
      })),
    }),
    course: (what) => ({
      ...common(what),
      xAxis: labels(what),
      yAxis: amounts(roomForGoal(what)),
      series: [
        {
          name: what.known.name,
          data: what.known.values,
          type: "line",
          symbol: "circle",
          symbolSize: 7,
          lineStyle: { width: 3 },
          markLine: goalLine(what),
        },
        {
          name: what.expected.name,
          data: what.expected.values,
          type: "line",
          symbol: "circle",
          symbolSize: 4,
          color: series[2],
          lineStyle: { width: 2, type: "dashed" },
        },
        ...(what.band ? [band(what.band)] : []),
      ],
    }),
    contributions: (what) => ({
      ...common({ ...what, bars: true }),
      xAxis: amounts(),
      yAxis: { ...labels(what), inverse: true },
      color: [series[0], series[2], series[3], series[4], series[5], series[1]],
      series: what.series.map((one) => ({ name: one.name, data: one.values, type: "bar", stack: "all", barMaxWidth: 22 })),
    }),
    bars: (what) => ({
      ...common({ ...what, bars: true }),
      xAxis: labels(what),
      yAxis: amounts(),
      series: what.series.map((one) => ({ name: one.name, data: one.values, type: "bar", stack: what.stacked ? "all" : undefined, barMaxWidth: 28 })),
    }),
    tree: (what) => ({
      textStyle: { fontFamily: font },
      tooltip: { renderMode: "richText", formatter: (one) => `${one.name} · ${one.value}` },
      // White names stand on these.
      color: [series[0], series[3], colour("--warn"), series[4], series[5], quiet],
      series: [{
        type: "treemap",
        roam: false,
        nodeClick: false,
        breadcrumb: { show: false },
        left: 0,
        top: 0,
        right: 0,
        bottom: 0,
        data: what.nodes,
        levels: [
          { itemStyle: { gapWidth: 4, borderWidth: 0 } },
          { itemStyle: { gapWidth: 2, borderWidth: 3, borderColor: colour("--line") }, upperLabel: { show: true, height: 24, color: colour("--ink"), fontWeight: 600 } },
          { itemStyle: { gapWidth: 1, borderColor: colour("--paper") } },
        ],
      }],
    }),
  };

  const draw = (root) => {
    for (const place of root.querySelectorAll("[data-chart]")) {
      if (echarts.getInstanceByDom(place)) continue;
      const what = JSON.parse(place.dataset.chart);
      echarts.init(place).setOption(kinds[what.kind](what));
    }
  };
  const drawn = () => [...document.querySelectorAll("[data-chart]")].map((one) => echarts.getInstanceByDom(one)).filter(Boolean);

  document.addEventListener("DOMContentLoaded", () => draw(document));
  document.addEventListener("htmx:load", (event) => draw(event.detail.elt.parentElement ?? document));
  document.addEventListener("htmx:beforeSwap", (event) => {
    // What was wrong before is said no longer once something else is sent.
    if (event.detail.xhr.status < 400) document.getElementById("problems")?.replaceChildren();
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "problems") document.querySelector("#problems .problem")?.focus();
  });
  addEventListener("resize", () => drawn().forEach((one) => one.resize()));
})();
