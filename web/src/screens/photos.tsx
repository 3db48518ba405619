import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { api, ApiError, ok, type Schemas } from "../api";
import { config } from "../config";
import { bytes, duration, time } from "../format";
import { useLoad, useTask, type Loaded } from "../load";
import { Line } from "../news";
import { drop, isThisComputer, keep, keptSessions, REASONS, type KeptSession } from "../photos";
import { query, setQuery } from "../router";
import { Action, Card, Chip, Confirm, Empty, Fault, Field, Note, Page, Show, Status, tell } from "../ui";

type View = Schemas["SessionView"];
const POLL_MS = 2500;
const owner = (session: KeptSession) => ({ params: { path: { session_id: session.sessionId }, header: { "X-Owner-Token": session.ownerToken } } });

export function Photos() {
  const sessions = useSignal(keptSessions());
  const [task, run] = useTask();
  const current = sessions.value.find((each) => each.sessionId === query.value.session);
  const open = (): void => void run(async () => {
    const phonePage = new URL(`${config.api}/u`, location.href).href;
    const made = await ok(api.POST("/sessions", { params: { query: { phonePage } } }));
    const { sessionId, ownerToken, phoneUrl, qrCode, socketUrl } = made;
    const now = Date.now();
    keep({ sessionId, ownerToken, phoneUrl, qrCode, socketUrl: socketUrl ?? null, openedAt: now, endsAt: now + (made.expiresAt - made.createdAt) * 1000 });
    sessions.value = keptSessions();
    setQuery({ session: sessionId });
  });
  const gone = (id: string): void => {
    drop(id);
    sessions.value = keptSessions();
    if (query.value.session === id) setQuery({ session: null });
  };
  return (
    <Page title="From your phone" lead="Scan a code, take a photo, and it appears here. Photos are deleted after a day." actions={current && <Action label="New code" busy="Preparing…" task={task.value} onClick={open} />}>
      <Fault error={task.value.error} again={open} />
      {current
        ? <Current key={current.sessionId} session={current} gone={() => gone(current.sessionId)} fresh={open} />
        : <Card><Empty title="Send a photo from your phone"><p>A code works for 30 minutes and takes one photo. Only this browser can open it. The photo is kept unchanged, including a location if the phone records one.</p><Action primary label="Get a code" busy="Preparing…" task={task.value} onClick={open} /></Empty></Card>}
      {sessions.value.length > 0 && (
        <Card title="Codes of this browser" note="From the last day. Only this browser can open them.">
          <ul class="plain stack tight">
            {sessions.value.map((each) => (
              <li key={each.sessionId} class="row between">
                <span>{time(each.openedAt / 1000)}{each.sessionId === current?.sessionId && <span class="quiet">, shown above</span>}</span>
                <span class="row">
                  <button type="button" disabled={each.sessionId === current?.sessionId} onClick={() => setQuery({ session: each.sessionId })}>Open</button>
                  <button type="button" class="plain" onClick={() => gone(each.sessionId)}>Forget</button>
                </span>
              </li>
            ))}
          </ul>
        </Card>
      )}
    </Page>
  );
}

function Current({ session, gone, fresh }: { session: KeptSession; gone: () => void; fresh: () => void }) {
  const done = useSignal(false);
  const view = useLoad(`photo ${session.sessionId}`, () => ok(api.GET("/sessions/{session_id}", owner(session))), done.value ? undefined : POLL_MS);
  const state = view.data?.status;
  useEffect(() => { done.value = state === "COMPLETED" || state === "EXPIRED"; }, [state]);
  const connected = useSignal(false);
  useSocket(session, !done.value, view.reload, () => { connected.value = true; });
  const lost = view.error instanceof ApiError && [403, 404].includes(view.error.status);
  if (lost) return <Card><Empty title="This code is gone"><p>It was deleted, or is older than a day.</p><button type="button" onClick={gone}>Remove it from the list</button></Empty></Card>;
  return (
    <Show of={view} lines={8}>
      {(found) => found.status === "COMPLETED"
        ? <Photo session={session} view={found} gone={gone} fresh={fresh} />
        : found.status === "EXPIRED"
          ? <Card><Empty title="This code has expired"><button type="button" class="primary" onClick={fresh}>Get a new code</button></Empty></Card>
          : <Code session={session} view={found} connected={connected.value} />}
    </Show>
  );
}

/** Report changes as they happen; polling continues in parallel and covers a disconnected socket. */
function useSocket({ socketUrl, sessionId, ownerToken }: KeptSession, wanted: boolean, changed: () => void, connected: () => void): void {
  useEffect(() => {
    if (!wanted || !socketUrl) return;
    const url = new URL(socketUrl);
    url.searchParams.set("sessionId", sessionId);
    url.searchParams.set("ownerToken", ownerToken);
    const line = new Line(url.href, ({ action }) => {
      if (action === "PHONE_CONNECTED") connected();
      else if (action.startsWith("UPLOAD_")) changed();
    }, () => undefined, { action: "sync", sessionId, ownerToken }, async () => null);
    return () => line.close();
  }, [sessionId, wanted]);
}

const SAYS: Record<string, string> = {
  AWAITING_SCAN: "Waiting for your phone", UPLOAD_REQUESTED: "Your phone is sending a photo", REJECTED: "Waiting for another attempt",
};

function Code({ session, view, connected }: { session: KeptSession; view: View; connected: boolean }) {
  const left = useSignal(session.endsAt - Date.now());
  useEffect(() => {
    const timer = setInterval(() => { left.value = session.endsAt - Date.now(); }, 1000);
    return () => clearInterval(timer);
  }, []);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(session.phoneUrl);
    tell("The link is copied.");
  };
  return (
    <Card>
      <div class="split">
        <div class="stack" style={{ justifyItems: "center" }}>
          <img class="qr" src={session.qrCode} width="240" height="240" alt="QR code that opens the upload page on a phone" />
          <p class="small quiet">Works for {duration(Math.max(0, left.value / 1000))}.</p>
        </div>
        <div class="stack">
          <p role="status"><Chip tone={view.status === "REJECTED" ? "bad" : "busy"}>{connected && view.status === "AWAITING_SCAN" ? "Your phone is connected" : SAYS[view.status] ?? view.status}</Chip></p>
          {view.status === "REJECTED" && <Note tone="bad"><p>{REASONS[view.reason ?? ""] ?? "That file could not be used."} Choose another one on the phone.</p></Note>}
          <ol class="indent"><li>Scan the code with your phone's camera.</li><li>Take a photo, or choose one.</li><li>It appears here.</li></ol>
          {isThisComputer(session.phoneUrl) && <Note tone="warn"><p>The code links to this computer, which a phone cannot reach. Open the phone page here instead, or serve the console from an address in your network.</p></Note>}
          <Field label="Link in the code" readOnly value={session.phoneUrl} onFocus={(event) => event.currentTarget.select()} />
          <div class="row"><a class="button" href={session.phoneUrl} target="_blank" rel="noopener">Open the phone page here</a><button type="button" onClick={() => void copy()}>Copy the link</button></div>
        </div>
      </div>
    </Card>
  );
}

function Photo({ session, view, gone, fresh }: { session: KeptSession; view: View; gone: () => void; fresh: () => void }) {
  const asking = useSignal(false);
  const broken = useSignal(false);
  const [task, run] = useTask();
  const newest: Loaded<View> = useLoad(`image ${session.sessionId}`, () => ok(api.GET("/sessions/{session_id}", owner(session))), 240_000); // its address works for five minutes
  const shown = newest.data?.imageUrl ?? view.imageUrl;
  const kind = (view.contentType ?? "").replace("image/", "");
  const address = async (): Promise<string> => (await ok(api.GET("/sessions/{session_id}", owner(session)))).imageUrl!;
  const download = (): void => void run(async () => {
    const answer = await fetch(await address(), { cache: "no-store" }).catch(() => null); // cached as an image, it may lack the header for scripts
    if (!answer?.ok) throw new ApiError(answer?.status ?? 0, "storage", "Storage did not return the photo.");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await answer.blob());
    link.download = `photo-${session.sessionId.slice(0, 8)}.${kind === "jpeg" ? "jpg" : kind}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  });
  const openFull = (): void => void run(async () => {
    const tab = window.open("about:blank");
    const url = await address();
    if (tab) { tab.opener = null; tab.location.href = url; } else location.assign(url);
  });
  const remove = (): void => void run(async () => {
    await ok(api.DELETE("/sessions/{session_id}", owner(session)));
    asking.value = false;
    gone();
    tell("The photo is deleted.");
  });
  return (
    <Card title="Your photo is here" side={<Status of={view.status} />}>
      <div class="stack">
        {broken.value
          ? <Note><p>This browser cannot show this kind of photo. Download it instead.</p></Note>
          : shown && <img class="photo" src={shown} alt="The photo from your phone" onError={() => { broken.value = true; }} />}
        <p class="quiet">{kind.toUpperCase()}, {bytes(view.size)}{view.completedAt ? `, ${time(view.completedAt)}` : ""}</p>
        {!asking.value && <Fault error={task.value.error} />}
        <div class="row">
          <Action primary label="Download" task={task.value} onClick={download} />
          <button type="button" onClick={openFull}>Open full size</button>
          <button type="button" onClick={fresh}>Receive another</button>
          <button type="button" class="danger" onClick={() => { asking.value = true; }}>Delete</button>
        </div>
      </div>
      <Confirm open={asking.value} title="Delete this photo?" yes="Delete photo" danger task={task.value} onYes={remove} onNo={() => { asking.value = false; }}><p>It is removed from storage immediately.</p></Confirm>
    </Card>
  );
}
