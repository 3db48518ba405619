export function Jobs() { return null; }
export function NewJob() { return null; }
