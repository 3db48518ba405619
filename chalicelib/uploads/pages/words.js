// How things are said to people, on both pages.

export const REASONS = {
  not_an_image: "That file is not a photo we can read. Please send a JPEG, PNG, GIF, WebP or HEIC.",
  too_large: "That photo is too large.",
  empty: "That file is empty.",
};

export function bytes(count) {
  if (count < 1000) return `${count} bytes`;
  return count < 1e6 ? `${Math.round(count / 1e3)} kB` : `${(count / 1e6).toFixed(1)} MB`;
}

export function minutes(seconds) {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  const count = Math.round(seconds / 60);
  return `${count} minute${count === 1 ? "" : "s"}`;
}

export function say(text, tone = "wait") {
  const status = document.getElementById("status");
  status.dataset.tone = tone;
  const line = document.getElementById("status-text");
  if (line.textContent !== text) line.textContent = text;
}

export function complain(text) {
  const problem = document.getElementById("problem");
  problem.hidden = !text;
  problem.textContent = text ?? "";
}
