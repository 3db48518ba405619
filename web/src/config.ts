// What the deployment says of itself: config.json beside index.html.

export interface Config {
  api: string;
  socket: string | null;
  stage: string;
  release: string;
  client: string;
  signIn: { kind: "hosted"; domain: string } | { kind: "password"; endpoint: string };
  people?: Record<string, [string, string]>;
}

export let config: Config;

export async function configure(): Promise<void> {
  const answer = await fetch("config.json", { cache: "no-store" });
  if (!answer.ok) throw new Error(await answer.text());
  config = await answer.json();
}
