export function People() { return null; }
export function Review() { return null; }
export function Fairness() { return null; }
