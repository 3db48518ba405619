import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api, ok, type Schemas } from "../api";
import { Chart } from "../chart";
import { date, money, number, percent, plural, words } from "../format";
import { useLoad, useTask } from "../load";
import { href, parts, query, setQuery } from "../router";
import { Action, Bar, Bars, Card, Chip, Empty, Facts, Fault, Field, Note, Page, Select, Show, Stat, Status, Table } from "../ui";

type Standing = Schemas["VenueStanding"];
type Prediction = Schemas["TicketPrediction"];
type Features = Schemas["TicketFeatures"];
type Concert = Schemas["Concert"];

const listOf = (text: string): string[] => text.split(",").map((each) => each.trim()).filter(Boolean);
const Notes = ({ of }: { of?: string[] }) => (of?.length ? <Note tone="warn">{of.map((each) => <p key={each}>{each}</p>)}</Note> : null);
const priceOf = (from: string | null | undefined, to: string | null | undefined, currency: string): string =>
  from == null ? "price unknown" : to == null || from === to ? money(from, currency) : `${money(from, currency)} to ${money(to, currency)}`;

export function Venues() {
  const [, , id] = parts.value;
  return id ? <OneVenue id={id} /> : <Ranking />;
}

function Ranking() {
  const { top = "10", events = "5", days = "365", sort = "rank", place = "", order = "popularity" } = query.value;
  const body = { top_n: Number(top), min_events: Math.max(1, Number(events) || 1), lookback_days: Math.max(1, Number(days) || 365), locations: listOf(place), order_by: order as "popularity" };
  const report = useLoad(JSON.stringify(body), () => ok(api.POST("/venues/popularity", { body })));
  const draft = useSignal(place);
  return (
    <Page title="Venue ranking" lead={report.data ? `Completed concerts from ${date(report.data.since)} to ${date(report.data.until)}, by eleven measures of popularity.` : "Venues by eleven measures of popularity."}>
      <form class="toolbar" role="search" onSubmit={(event) => { event.preventDefault(); setQuery({ place: draft.value }); }}>
        <Field grow label="Places, comma-separated" placeholder="New York, Boston" value={draft.value} onInput={(event) => { draft.value = event.currentTarget.value; }} onChange={(event) => setQuery({ place: event.currentTarget.value })} />
        <Select label="Show" value={top} options={[["10", "10 venues"], ["25", "25 venues"], ["50", "50 venues"], ["100", "100 venues"]]} onChange={(event) => setQuery({ top: event.currentTarget.value })} />
        <Select label="By" value={order} options={[["popularity", "Popularity"], ["revenue", "Revenue"], ["attendance_rate", "Seats filled"], ["concerts", "Concerts"], ["capacity", "Capacity"]]} onChange={(event) => setQuery({ order: event.currentTarget.value, sort: null })} />
        <Select label="Period" value={days} options={[["90", "90 days"], ["365", "A year"], ["730", "Two years"], ["1095", "Three years"]]} onChange={(event) => setQuery({ days: event.currentTarget.value })} />
        <Field label="Least concerts" type="number" min="1" max="500" value={events} onChange={(event) => setQuery({ events: event.currentTarget.value })} />
      </form>
      <Notes of={report.data?.notes} />
      <Show of={report} lines={12}>
        {(found) => found.venues.length
          ? <Card flush>
              <Table<Standing> label="Venues" rows={found.venues} id={(venue) => venue.venue_id} sorted={sort} onSort={(next) => setQuery({ sort: next })} columns={[
                { name: "Rank", key: "rank", num: true, sort: (venue) => venue.popularity_rank, cell: (venue) => venue.popularity_rank },
                { name: "Venue", key: "name", sort: (venue) => venue.name, cell: (venue) => <><a href={href(`/concerts/venues/${venue.venue_id}`)}><strong>{venue.name}</strong></a><br /><span class="small quiet">{words(venue.venue_type)}, {[venue.city, venue.state, venue.country].filter(Boolean).join(", ")}</span></> },
                { name: "Score", key: "score", sort: (venue) => venue.score, cell: (venue) => <><span class="row" style={{ flexWrap: "nowrap" }}><Bar share={venue.score} label={`score ${percent(venue.score)}`} /><span class="num">{venue.score.toFixed(3)}</span></span><Parts of={venue} /></> },
                { name: "Concerts", key: "events", num: true, sort: (venue) => venue.total_events, cell: (venue) => number(venue.total_events) },
                { name: "Seats filled", key: "rate", num: true, sort: (venue) => venue.avg_attendance_rate, cell: (venue) => percent(venue.avg_attendance_rate) },
                { name: "Capacity", key: "capacity", num: true, sort: (venue) => venue.capacity, cell: (venue) => number(venue.capacity) },
                { name: "Revenue", key: "revenue", num: true, sort: (venue) => (venue.total_revenue == null ? null : Number(venue.total_revenue)), cell: (venue) => money(venue.total_revenue, found.currency, 0) },
                { name: "A concert", key: "each", num: true, sort: (venue) => (venue.revenue_per_event == null ? null : Number(venue.revenue_per_event)), cell: (venue) => money(venue.revenue_per_event, found.currency, 0) },
              ]} />
            </Card>
          : <Card><Empty title="No venue matches"><p>Lower the number of concerts, choose a longer period or another place.</p></Empty></Card>}
      </Show>
    </Page>
  );
}

function Parts({ of: venue }: { of: Standing }) {
  return (
    <details>
      <summary class="small">Eleven parts</summary>
      <Bars rows={[...venue.contributions].sort((one, other) => (other.contribution ?? 0) - (one.contribution ?? 0)).map((part) => ({ key: part.name, name: <span class="small">{words(part.name)}</span>, value: part.contribution ?? 0, text: part.contribution === null ? "unknown" : `${part.contribution.toFixed(3)} of ${part.weight.toFixed(2)}` }))} />
    </details>
  );
}

function OneVenue({ id }: { id: string }) {
  const venue = useLoad(id, () => ok(api.GET("/venues/{venue_id}", { params: { path: { venue_id: id } } })));
  const name = venue.data?.name ?? "Venue";
  return (
    <Page title={name} lead={<a href={href("/concerts/venues")}>All venues</a>}>
      <Show of={venue} lines={10}>
        {(found) => (
          <>
            <div class="stats">
              {found.popularity_rank != null && <Stat label="Rank" value={found.popularity_rank} note="by popularity" />}
              <Stat label="Capacity" value={number(found.capacity)} note={words(found.venue_type)} />
              <Stat label="Upcoming concerts" value={number(found.upcoming_concerts)} to={href("/concerts", { place: found.city })} />
            </div>
            <div class="split">
              <Card title="By month" note="Reported revenue of completed concerts.">
                {found.history.length > 1
                  ? <Chart label="Revenue by month" height={220} times={[...found.history].sort((one, other) => one.month.localeCompare(other.month)).map((month) => Date.parse(month.month) / 1000)} when={date}
                      series={[{ name: "Revenue", bars: true, text: (value) => money(value, found.currency, 0), values: [...found.history].sort((one, other) => one.month.localeCompare(other.month)).map((month) => (month.revenue == null ? null : Number(month.revenue))) }]} />
                  : <Empty title="No completed concerts yet" />}
              </Card>
              <Card title="The venue"><Facts of={[["Address", [found.address, found.postal_code, found.city, found.state, found.country].filter(Boolean).join(", ")], ["Amenities", found.amenities.map((each) => words(each)).join(", ")], ["Position", found.latitude == null ? null : `${found.latitude}, ${found.longitude}`]]} /></Card>
            </div>
            <Card flush title="Upcoming"><Concerts rows={found.upcoming} /></Card>
          </>
        )}
      </Show>
    </Page>
  );
}

function Concerts({ rows }: { rows: Concert[] }) {
  if (!rows.length) return <Empty title="No concerts are scheduled" />;
  return (
    <Table<Concert> label="Concerts" rows={rows} id={(concert) => concert.concert_id} columns={[
      { name: "Date", key: "date", sort: (concert) => concert.event_date, cell: (concert) => <span class="nowrap">{date(concert.event_date)}</span> },
      { name: "Artist", key: "artist", sort: (concert) => concert.artist, cell: (concert) => <><strong>{concert.artist}</strong><br /><span class="small quiet">{concert.genre}</span></> },
      { name: "Venue", key: "venue", sort: (concert) => concert.venue, cell: (concert) => <><a href={href(`/concerts/venues/${concert.venue_id}`)}>{concert.venue}</a><br /><span class="small quiet">{[concert.city, concert.country].join(", ")}</span></> },
      { name: "Tickets", key: "price", sort: (concert) => (concert.price_from == null ? null : Number(concert.price_from)), cell: (concert) => <span class="nowrap">{priceOf(concert.price_from, concert.price_to, concert.currency)}</span> },
      { name: "Sales", key: "more", cell: (concert) => <a class="nowrap" href={href("/concerts/forecast", { concert: concert.concert_id })}>Forecast</a> },
    ]} />
  );
}

export function Finder() {
  const { q = "", genre = "", place = "", from = "", to = "" } = query.value;
  const genres = useLoad("genres", () => ok(api.GET("/genres")));
  const ask = (cursor?: string) => ok(api.GET("/concerts", { params: { query: { q: q || undefined, genre: genre ? [genre] : undefined, place: listOf(place), from: from || undefined, to: to || undefined, limit: 50, cursor } } }));
  const page = useLoad(JSON.stringify([q, genre, place, from, to]), () => ask());
  const [task, run] = useTask();
  const more = (): void => void run(async () => {
    const next = await ask(page.data!.next_cursor ?? undefined);
    page.set({ ...next, concerts: [...page.data!.concerts, ...next.concerts] });
  });
  return (
    <Page title="Concerts" lead="Scheduled concerts by artist, venue, genre, place and date.">
      <div class="toolbar" role="search">
        <Field grow label="Artist or venue" type="search" value={q} onChange={(event) => setQuery({ q: event.currentTarget.value })} />
        <Select label="Genre" value={genre} options={[["", "Any"], ...(genres.data?.genres ?? []).map((each): [string, string] => [each.genre, `${each.genre} (${each.upcoming_concerts})`])]} onChange={(event) => setQuery({ genre: event.currentTarget.value })} />
        <Field label="Place" placeholder="Texas" value={place} onChange={(event) => setQuery({ place: event.currentTarget.value })} />
        <Field label="From" type="date" value={from} onChange={(event) => setQuery({ from: event.currentTarget.value })} />
        <Field label="To" type="date" value={to} onChange={(event) => setQuery({ to: event.currentTarget.value })} />
        {(q || genre || place || from || to) && <button type="button" class="plain" onClick={() => setQuery({ q: null, genre: null, place: null, from: null, to: null })}>Clear</button>}
      </div>
      <Notes of={page.data?.notes} />
      <Card flush>
        <Show of={page} lines={12}>
          {(found) => (
            <>
              {found.concerts.length ? <Concerts rows={found.concerts} /> : <Empty title="No concert matches"><p>Choose a longer period, or leave out the place or genre.</p></Empty>}
              <div style={{ padding: "0 20px" }}><Fault error={task.value.error} again={more} /></div>
              {found.next_cursor && <div class="pager"><span>{number(found.concerts.length)} shown</span><Action label="Show more" busy="Loading…" task={task.value} onClick={more} /></div>}
            </>
          )}
        </Show>
      </Card>
    </Page>
  );
}

export function Recommendations() {
  const { genres = "", place = "", top = "10" } = query.value;
  const body = { genres: listOf(genres), locations: listOf(place), top_n: Number(top) };
  const found = useLoad(JSON.stringify(body), () => ok(api.POST("/recommendations", { body })));
  const draft = useSignal({ genres, place });
  const ask = (): void => setQuery({ genres: draft.value.genres, place: draft.value.place });
  return (
    <Page title="Recommendations" lead="Matching scheduled concerts, each with its reasons.">
      <form class="toolbar" role="search" onSubmit={(event) => { event.preventDefault(); ask(); }}>
        <Field grow label="Genres, comma-separated" placeholder="jazz, pop/electronic" value={draft.value.genres} onInput={(event) => { draft.value = { ...draft.value, genres: event.currentTarget.value }; }} />
        <Field grow label="Places, comma-separated" placeholder="New York, Boston" value={draft.value.place} onInput={(event) => { draft.value = { ...draft.value, place: event.currentTarget.value }; }} />
        <Select label="Show" value={top} options={[["10", "10"], ["25", "25"], ["50", "50"]]} onChange={(event) => setQuery({ top: event.currentTarget.value })} />
        <button type="submit" class="primary">Recommend</button>
      </form>
      <Notes of={found.data?.notes} />
      <Show of={found} lines={10}>
        {(answer) => answer.recommendations.length
          ? <ul class="plain cards">
              {answer.recommendations.map((each) => (
                <li key={each.concert_id} class="card stack tight">
                  <div class="row between"><h2>{each.artist}</h2><Chip>{each.genre}</Chip></div>
                  <p><a href={href(`/concerts/venues/${each.venue_id}`)}>{each.venue}</a>, {each.city}, {each.country}<br /><strong>{date(each.event_date)}</strong>{each.price_from != null && `, from ${money(each.price_from, answer.currency)}`}</p>
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
    <Page title="Sales forecast" lead="A concert's expected sales, their confidence, and the factors that change them.">
      <form class="toolbar" onSubmit={(event) => { event.preventDefault(); setQuery({ concert: asked.value.trim() }); }}>
        <Field grow label="Concert" placeholder="con-009299" pattern="[0-9A-Za-z._:\-]{1,50}" required value={asked.value} hint={<>Its id; <a href={href("/concerts")}>Concerts</a> link here, too.</>} onInput={(event) => { asked.value = event.currentTarget.value; }} />
        <button type="submit" class="primary" style={{ alignSelf: "center" }}>Forecast</button>
      </form>
      {concert ? <Foreseen id={concert} /> : <Card><Empty title="Choose a concert"><p>Each concert and each recommendation links here; or enter a concert's id.</p><a class="button" href={href("/concerts")}>Find one</a></Empty></Card>}
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
    const scaled = (known: number | null): number | null => (known === null ? null : known * factor);
    set({ avg_ticket_price: value, lowest_price: scaled(base.lowest_price), highest_price: scaled(base.highest_price), price_range: scaled(base.price_range) });
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
  const { concert, currency, interval } = prediction;
  return (
    <>
      <div class="stats">
        <Stat label="Predicted sales" value={money(now, currency, 0)} note={concert ? `${concert.artist}, ${date(concert.event_date)}` : undefined} />
        <Stat label={`In ${percent(interval.level)} of cases between`} value={<span style={{ fontSize: "17px" }}>{money(interval.low, currency, 0)} and {money(interval.high, currency, 0)}</span>} note={`measured: ${percent(interval.measured)} on unseen seasons`} />
        <Stat label="Confidence" value={<Status of={prediction.confidence_level} />} note={prediction.unknown.length ? `unknown: ${prediction.unknown.map((each) => words(each).toLowerCase()).join(", ")}` : "nothing is unknown"} />
        <Stat label="Model" value={<span style={{ fontSize: "17px" }}>{words(prediction.source)}</span>} note={prediction.model_version} />
      </div>
      {prediction.fallback && <p class="quiet">{prediction.fallback}</p>}
      <div class="split">
        <Card title="What if?" note="Change a detail; the forecast follows.">
          <div class="stack">
            <Slide label="Average ticket price" value={changed.value.avg_ticket_price ?? 5} from={5} to={Math.max(400, Math.ceil((base.avg_ticket_price ?? 200) * 2))} text={money(changed.value.avg_ticket_price)} onInput={price} />
            <Slide label="Capacity" value={changed.value.venue_capacity} from={100} to={Math.max(20000, base.venue_capacity * 2)} step={100} text={number(changed.value.venue_capacity)} onInput={(value) => set({ venue_capacity: value })} />
            <Slide label="Days until the concert" value={changed.value.days_until_event} from={0} to={365} text={plural(changed.value.days_until_event, "day")} onInput={(value) => set({ days_until_event: value })} />
            <div class="fields">
              <Select label="Month" value={String(changed.value.month_of_year)} options={MONTHS.map((name, index): [string, string] => [String(index + 1), name])} onChange={(event) => month(Number(event.currentTarget.value))} />
              <Select label="Day" value={String(changed.value.is_weekend)} options={[["0", "Weekday"], ["1", "Weekend"]]} onChange={(event) => set({ is_weekend: Number(event.currentTarget.value) })} />
            </div>
            <div class="row between" role="status">
              <span><span class="quiet">Then</span> <strong style={{ fontSize: "20px" }} class="num">{money(then, currency, 0)}</strong> {touched && <span class={then >= now ? "text-good" : "text-bad"}>{then >= now ? "+" : "−"}{money(Math.abs(then - now), currency, 0)}{now ? `, ${percent(Math.abs(then - now) / now, 1)}` : ""}</span>}</span>
              <Action label="Reset" task={{ running: !touched, error: undefined }} busy="Reset" onClick={() => { changed.value = base; }} />
            </div>
            <Fault error={task.value.error} again={() => void ask()} />
          </div>
        </Card>
        <Card title="Available data" side={<span class="num">{percent(prediction.data_coverage)}</span>} note="Five parts that add up to the data's coverage.">
          <Bars most={0.25} rows={prediction.coverage_parts.map((part) => ({ key: part.name, name: words(part.name), value: part.contribution, text: percent(part.contribution, 1) }))} />
          <ul class="small quiet indent" style={{ marginTop: "12px" }}>{prediction.coverage_parts.map((part) => <li key={part.name}>{part.reason}</li>)}</ul>
        </Card>
      </div>
      <Card title="Input of the model">
        {concert && <Facts of={[["Concert", `${concert.artist} at ${concert.venue}, ${concert.city}`], ["Date", date(concert.event_date)], ["As of", date(prediction.as_of)]]} />}
        <details style={{ marginTop: "12px" }}><summary>All 21 features</summary><Facts of={Object.entries(base).map(([name, value]) => [words(name), value === null ? "unknown" : number(value, Number.isInteger(value) ? 0 : 2)])} /></details>
      </Card>
    </>
  );
}

function Slide({ label, text, value, from, to, step = 1, onInput }: { label: string; text: string; value: number; from: number; to: number; step?: number; onInput: (value: number) => void }) {
  return <Field label={`${label}: ${text}`} type="range" min={from} max={to} step={step} value={value} onInput={(event) => onInput(Number(event.currentTarget.value))} />;
}

/** Keep whole numbers whole, because a slider returns fractions. */
const rounded = (features: Features): Features => ({ ...features, venue_capacity: Math.round(features.venue_capacity), days_until_event: Math.round(features.days_until_event) });
