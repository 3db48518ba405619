export function Photos() { return null; }
