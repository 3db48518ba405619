import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { forget } from "../api";
import { config } from "../config";
import { useTask } from "../load";
import { go, query } from "../router";
import { leaveToSignIn, person, signInWithPassword, SignInError } from "../session";
import { Action, Card, Field, Note, Page } from "../ui";

export function SignIn() {
  const name = useSignal("");
  const password = useSignal("");
  const [task, run] = useTask();
  const back = (): void => { location.hash = query.peek().then || "/"; };
  useEffect(() => { if (person.value) back(); }, [person.value]);
  const enter = (username: string, secret: string): void => {
    forget();
    void run(() => signInWithPassword(username.trim(), secret));
  };
  if (config.signIn.kind === "hosted") {
    return (
      <Page title="Sign in" lead="Cognito asks for your account and returns you here.">
        <div><button type="button" class="primary" onClick={() => void leaveToSignIn()}>Continue to sign in</button></div>
      </Page>
    );
  }
  const error = task.value.error;
  return (
    <Page title="Sign in" lead="This is a local cloud: its Cognito runs on this machine, with three test accounts.">
      <div class="split">
        <Card title="Account">
          <form class="stack" onSubmit={(event) => { event.preventDefault(); enter(name.value, password.value); }}>
            <Field label="Email" type="email" required autocomplete="username" value={name.value} onInput={(event) => { name.value = event.currentTarget.value; }} />
            <Field label="Password" type="password" required autocomplete="current-password" value={password.value} onInput={(event) => { password.value = event.currentTarget.value; }} />
            {!!error && <Note tone="bad"><p>{error instanceof SignInError ? error.message : "Cognito cannot be reached. Is the local cloud running?"}</p></Note>}
            <div class="row"><Action type="submit" primary label="Sign in" busy="Signing in…" task={task.value} /><button type="button" onClick={() => go("/")}>Cancel</button></div>
          </form>
        </Card>
        <Card title="Test accounts" note={config.people && "They exist only in this local cloud, and get a new password at each start."}>
          {config.people
            ? <ul class="plain stack tight">
                {Object.entries(config.people).map(([short, [username, secret]]) => (
                  <li key={short} class="row between">
                    <span><strong>{username}</strong> <span class="quiet">{short === "olga" ? "operator" : "customer"}</span></span>
                    <button type="button" onClick={() => enter(username, secret)}>Sign in as {short}</button>
                  </li>
                ))}
              </ul>
            : <p class="quiet">Open the console at the address that <code>make status</code> prints: with its key, this page signs you in with one click. Or type a password from there. Other accounts on this machine can see neither.</p>}
        </Card>
      </div>
    </Page>
  );
}
