import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api, ok, type Schemas } from "../api";
import { date, money, number, percent, plural, words } from "../format";
import { useLoad, useTask } from "../load";
import { href, query, setQuery } from "../router";
import { Action, Bar, Bars, Card, Chip, Empty, Facts, Fault, Field, Page, Select, Show, Stat, Status, Table } from "../ui";

type Standing = Schemas["VenueStanding"];
type Prediction = Schemas["TicketPrediction"];
type Features = Schemas["TicketFeatures"];

export function Venues() {
  const { top = "10", events = "5", days = "365", sort = "rank" } = query.value;
  const body = { top_n: Number(top), min_events: Math.max(1, Number(events) || 1), lookback_days: Math.max(1, Number(days) || 365) };
  const report = useLoad(JSON.stringify(body), () => ok(api.POST("/venues/popularity", { body })));
  return (
    <Page title="Venue ranking" lead={report.data ? `Completed concerts from ${date(report.data.since)} to ${date(report.data.until)}, by eleven measures of popularity.` : "Venues by eleven measures of popularity."}>
      <div class="toolbar">
        <Select label="Show" value={top} options={[["10", "10 venues"], ["25", "25 venues"], ["50", "50 venues"], ["100", "100 venues"]]} onChange={(event) => setQuery({ top: event.currentTarget.value })} />
        <Select label="Period" value={days} options={[["90", "90 days"], ["365", "A year"], ["730", "Two years"], ["1095", "Three years"]]} onChange={(event) => setQuery({ days: event.currentTarget.value })} />
        <Field label="At least so many concerts" type="number" min="1" max="500" value={events} onChange={(event) => setQuery({ events: event.currentTarget.value })} />
      </div>
      <Show of={report} lines={12}>
        {(found) => found.venues.length
          ? <Card flush>
              <Table<Standing> label="Venues" rows={found.venues} id={(venue) => venue.venue_id} sorted={sort} onSort={(next) => setQuery({ sort: next })} columns={[
                { name: "Rank", key: "rank", num: true, sort: (venue) => venue.popularity_rank, cell: (venue) => venue.popularity_rank },
                { name: "Venue", key: "name", sort: (venue) => venue.name, cell: (venue) => <><strong>{venue.name}</strong><br /><span class="small quiet">{words(venue.venue_type)}, {[venue.city, venue.state, venue.country].filter(Boolean).join(", ")}</span></> },
                { name: "Score", key: "score", sort: (venue) => venue.score, cell: (venue) => <span class="row" style={{ flexWrap: "nowrap" }}><Bar share={venue.score} label={`score ${percent(venue.score)}`} /><span class="num">{venue.score.toFixed(3)}</span></span> },
                { name: "Concerts", key: "events", num: true, sort: (venue) => venue.total_events, cell: (venue) => number(venue.total_events) },
                { name: "Seats filled", key: "rate", num: true, sort: (venue) => venue.avg_attendance_rate, cell: (venue) => percent(venue.avg_attendance_rate) },
                { name: "Capacity", key: "capacity", num: true, sort: (venue) => venue.capacity, cell: (venue) => number(venue.capacity) },
                { name: "Revenue", key: "revenue", num: true, sort: (venue) => Number(venue.total_revenue), cell: (venue) => money(venue.total_revenue, "USD", 0) },
                { name: "A concert", key: "each", num: true, sort: (venue) => Number(venue.revenue_per_event), cell: (venue) => money(venue.revenue_per_event, "USD", 0) },
                { name: "Artists", key: "artists", num: true, sort: (venue) => venue.distinct_artists, cell: (venue) => number(venue.distinct_artists) },
              ]} />
            </Card>
          : <Card><Empty title="No venue has so many concerts in this period"><p>Lower the number of concerts, or choose a longer period.</p></Empty></Card>}
      </Show>
    </Page>
  );
}

export function Recommendations() {
  const { genres = "", place = "", top = "10" } = query.value;
  const wanted = genres.split(",").map((each) => each.trim()).filter(Boolean);
  const body = { genres: wanted, location: place, top_n: Number(top) };
  const found = useLoad(JSON.stringify(body), () => ok(api.POST("/recommendations", { body })));
  const draft = useSignal({ genres, place });
  const ask = (): void => setQuery({ genres: draft.value.genres, place: draft.value.place });
  return (
    <Page title="Recommendations" lead="Scheduled concerts that fit, each with its reasons.">
      <form class="toolbar" role="search" onSubmit={(event) => { event.preventDefault(); ask(); }}>
        <Field grow label="Genres, by commas" placeholder="jazz, pop/electronic" value={draft.value.genres} onInput={(event) => { draft.value = { ...draft.value, genres: event.currentTarget.value }; }} />
        <Field grow label="Place" placeholder="New York" value={draft.value.place} onInput={(event) => { draft.value = { ...draft.value, place: event.currentTarget.value }; }} />
        <Select label="Show" value={top} options={[["10", "10"], ["25", "25"], ["50", "50"]]} onChange={(event) => setQuery({ top: event.currentTarget.value })} />
        <button type="submit" class="primary">Recommend</button>
      </form>
      <Show of={found} lines={10}>
        {(answer) => answer.recommendations.length
          ? <ul class="plain cards">
              {answer.recommendations.map((each) => (
                <li key={each.concert_id} class="card stack tight">
                  <div class="row between"><h2>{each.artist}</h2><Chip>{each.genre}</Chip></div>
                  <p>{each.venue}, {each.city}, {each.country}<br /><strong>{date(each.event_date)}</strong></p>
                  <ul class="small quiet indent">{each.reasons.map((reason) => <li key={reason}>{reason}</li>)}</ul>
                  <div class="row between"><span class="small quiet">fits {percent(each.score)}</span><a href={href("/concerts/forecast", { concert: each.concert_id })}>Forecast its sales</a></div>
                </li>
              ))}
            </ul>
          : <Card><Empty title="No scheduled concert fits"><p>Leave out the place or a genre; an empty form recommends by popularity.</p></Empty></Card>}
      </Show>
    </Page>
  );
}

export function Forecast() {
  const { concert = "" } = query.value;
  const asked = useSignal(concert);
  useEffect(() => { asked.value = concert; }, [concert]);
  return (
    <Page title="Sales forecast" lead="What a concert should sell, how far to trust it, and what moves it.">
      <form class="toolbar" onSubmit={(event) => { event.preventDefault(); setQuery({ concert: asked.value.trim() }); }}>
        <Field grow label="Concert" placeholder="con-009299" pattern="[0-9A-Za-z._:\-]{1,50}" required value={asked.value} hint={<>Its id, as in <a href={href("/concerts/recommendations")}>Recommendations</a>.</>} onInput={(event) => { asked.value = event.currentTarget.value; }} />
        <button type="submit" class="primary" style={{ alignSelf: "center" }}>Forecast</button>
      </form>
      {concert ? <Foreseen id={concert} /> : <Card><Empty title="Choose a concert"><p>Each recommendation leads here; or enter a concert's id.</p><a class="button" href={href("/concerts/recommendations")}>Find one</a></Empty></Card>}
    </Page>
  );
}

function Foreseen({ id }: { id: string }) {
  const found = useLoad(id, () => ok(api.POST("/tickets/predict", { body: { concert_id: id } as never })));
  return <Show of={found} lines={8}>{(prediction) => <Known key={id} prediction={prediction} />}</Show>;
}

const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

function Known({ prediction }: { prediction: Prediction }) {
  const changed = useSignal<Features>(prediction.features);
  const other = useSignal<Prediction | null>(null);
  const [task, run] = useTask();
  const base = prediction.features;
  const set = (change: Partial<Features>): void => { changed.value = { ...changed.value, ...change }; };
  const price = (value: number): void => {
    const factor = base.avg_ticket_price ? value / base.avg_ticket_price : 1;
    set({ avg_ticket_price: value, lowest_price: base.lowest_price * factor, highest_price: base.highest_price * factor, price_range: base.price_range * factor });
  };
  const month = (value: number): void => set({ month_of_year: value, season: Math.floor((value % 12) / 3) + 1 });
  const touched = JSON.stringify(changed.value) !== JSON.stringify(base);
  const ask = (): Promise<boolean> => run(async () => {
    other.value = await ok(api.POST("/tickets/predict", { body: { features: rounded(changed.value) } as never }));
  });
  useEffect(() => {
    if (!touched) { other.value = null; return; }
    const timer = setTimeout(() => void ask(), 350);
    return () => clearTimeout(timer);
  }, [JSON.stringify(changed.value)]);
  const now = Number(prediction.predicted_sales);
  const then = other.value ? Number(other.value.predicted_sales) : now;
  const { concert } = prediction;
  return (
    <>
      <div class="stats">
        <Stat label="Predicted sales" value={money(now, "USD", 0)} note={concert ? `${concert.artist}, ${date(concert.event_date)}` : undefined} />
        <Stat label="Confidence" value={percent(prediction.confidence)} note={<Status of={prediction.confidence_level} />} />
        <Stat label="Model" value={<span style={{ fontSize: "17px" }}>{words(prediction.source)}</span>} note={prediction.model_version} />
      </div>
      {prediction.fallback && <p class="quiet">{prediction.fallback}</p>}
      <div class="split">
        <Card title="What if?" note="Change a detail; the forecast follows.">
          <div class="stack">
            <Slide label="Average ticket price" value={changed.value.avg_ticket_price} from={5} to={Math.max(400, Math.ceil(base.avg_ticket_price * 2))} text={money(changed.value.avg_ticket_price)} onInput={price} />
            <Slide label="Capacity" value={changed.value.venue_capacity} from={100} to={Math.max(20000, base.venue_capacity * 2)} step={100} text={number(changed.value.venue_capacity)} onInput={(value) => set({ venue_capacity: value })} />
            <Slide label="Days until the concert" value={changed.value.days_until_event} from={0} to={365} text={plural(changed.value.days_until_event, "day")} onInput={(value) => set({ days_until_event: value })} />
            <div class="fields">
              <Select label="Month" value={String(changed.value.month_of_year)} options={MONTHS.map((name, index): [string, string] => [String(index + 1), name])} onChange={(event) => month(Number(event.currentTarget.value))} />
              <Select label="Day" value={String(changed.value.is_weekend)} options={[["0", "Weekday"], ["1", "Weekend"]]} onChange={(event) => set({ is_weekend: Number(event.currentTarget.value) })} />
            </div>
            <div class="row between" role="status">
              <span><span class="quiet">Then</span> <strong style={{ fontSize: "20px" }} class="num">{money(then, "USD", 0)}</strong> {touched && <span class={then >= now ? "text-good" : "text-bad"}>{then >= now ? "+" : "−"}{money(Math.abs(then - now), "USD", 0)}{now ? `, ${percent(Math.abs(then - now) / now, 1)}` : ""}</span>}</span>
              <Action label="Reset" task={{ running: !touched, error: undefined }} busy="Reset" onClick={() => { changed.value = base; }} />
            </div>
            <Fault error={task.value.error} again={() => void ask()} />
          </div>
        </Card>
        <Card title="Where the confidence comes from" note="Five parts that add up.">
          <Bars most={0.25} rows={prediction.confidence_parts.map((part) => ({ key: part.name, name: words(part.name), value: part.contribution, text: percent(part.contribution, 1) }))} />
          <ul class="small quiet indent" style={{ marginTop: "12px" }}>{prediction.confidence_parts.map((part) => <li key={part.name}>{part.reason}</li>)}</ul>
        </Card>
      </div>
      <Card title="What the model looked at">
        {concert && <Facts of={[["Concert", `${concert.artist} at ${concert.venue}, ${concert.city}`], ["Date", date(concert.event_date)], ["As of", date(prediction.as_of)]]} />}
        <details style={{ marginTop: "12px" }}><summary>All 21 features</summary><Facts of={Object.entries(base).map(([name, value]) => [words(name), number(value, Number.isInteger(value) ? 0 : 2)])} /></details>
      </Card>
    </>
  );
}

function Slide({ label, text, value, from, to, step = 1, onInput }: { label: string; text: string; value: number; from: number; to: number; step?: number; onInput: (value: number) => void }) {
  return <Field label={`${label}: ${text}`} type="range" min={from} max={to} step={step} value={value} onInput={(event) => onInput(Number(event.currentTarget.value))} />;
}

/** Whole numbers stay whole; a slider gives fractions of them. */
const rounded = (features: Features): Features => ({ ...features, venue_capacity: Math.round(features.venue_capacity), days_until_event: Math.round(features.days_until_event) });
