// A line or bars over time. uPlot draws on a canvas; a table provides the same figures for screen readers.

import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

export interface Series { name: string; values: (number | null)[]; text: (value: number) => string; bars?: boolean }
interface Props { label: string; times: number[]; series: Series[]; height?: number; low?: number; high?: number; when: (seconds: number) => string; onPick?: (index: number) => void }

const DAY_S = 86_400;

/** The hour if the chart covers a day or two, otherwise the day; in UTC. */
function tick(at: number, span: number): string {
  const moment = new Date(at * 1000);
  return span < 2 * DAY_S ? moment.toISOString().slice(11, 16) : moment.toLocaleDateString("en-US", { day: "numeric", month: "short", timeZone: "UTC" });
}

export function Chart({ label, times, series, height = 200, low, high, when, onPick }: Props) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = box.current!;
    let plot: uPlot | undefined;
    const draw = (): void => {
      plot?.destroy();
      const style = getComputedStyle(document.documentElement);
      const probe = document.createElement("span");
      element.append(probe);
      const colour = (name: string): string => { probe.style.color = `var(${name})`; return getComputedStyle(probe).color; };
      const lines = [colour("--accent"), colour("--good"), colour("--warn")];
      const beside = series.some((each) => each.bars) && times.length > 1 ? (times.at(-1)! - times[0]) / (times.length - 1) / 2 : 0; // half a bar
      const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 }, font: `12px ${style.fontFamily}` };
      probe.remove();
      plot = new uPlot({
        width: element.clientWidth, height, tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"), cursor: { y: false }, legend: { show: true },
        hooks: { setLegend: [(drawn) => { if (drawn.legend.idx == null && times.length) drawn.setLegend({ idx: times.length - 1 }, false); }] }, // nobody points at it: the newest
        scales: { x: { range: (_plot, min, max) => [min - beside, max + beside] }, y: { range: (_plot, min, max) => [low ?? Math.min(0, min), high ?? (max || 1) * 1.06] } },
        axes: [{ ...axis, space: 70, values: (_plot, splits) => splits.map((at) => tick(at, splits.at(-1)! - splits[0])) }, { ...axis, size: (_plot, values) => 18 + 7 * Math.max(3, ...(values ?? []).map((value) => value.length)), values: (_plot, values) => values.map(series[0].text) }],
        series: [
          { label: "Time", value: (_plot, value) => (value == null ? "–" : when(value)) },
          ...series.map((each, index): uPlot.Series => ({
            label: each.name, stroke: lines[index], width: 2, points: { show: times.length < 3 || undefined, size: 6, fill: lines[index] },
            value: (_plot, value) => (value == null ? "–" : each.text(value)),
            ...(each.bars ? { paths: uPlot.paths.bars!({ size: [0.7, 40] }), fill: `color-mix(in srgb, ${lines[index]} 35%, transparent)`, points: { show: false } } : {}),
          })),
        ],
      }, [times, ...series.map((each) => each.values)], element);
      plot.setLegend({ idx: times.length - 1 }, false);
      if (onPick) plot.over.addEventListener("click", () => { if (plot?.cursor.idx != null) onPick(plot.cursor.idx); });
    };
    draw();
    let width = element.clientWidth;
    const resized = new ResizeObserver(() => { if (element.clientWidth !== width) { width = element.clientWidth; plot?.setSize({ width, height }); } });
    resized.observe(element);
    const themed = new MutationObserver(draw);
    themed.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", draw);
    return () => { resized.disconnect(); themed.disconnect(); scheme.removeEventListener("change", draw); plot?.destroy(); };
  }, [JSON.stringify(times), JSON.stringify(series.map((each) => each.values))]);
  return (
    <figure aria-label={label}>
      <div class="chart" ref={box} style={{ minHeight: `${height + 34}px` }} aria-hidden="true" />
      <div class="visually-hidden"><table>
        <caption>{label}</caption>
        <thead><tr><th>Time</th>{series.map((each) => <th key={each.name}>{each.name}</th>)}</tr></thead>
        <tbody>{times.map((at, index) => <tr key={at}><th>{when(at)}</th>{series.map((each) => <td key={each.name}>{each.values[index] == null ? "–" : each.text(each.values[index])}</td>)}</tr>)}</tbody>
      </table></div>
    </figure>
  );
}
