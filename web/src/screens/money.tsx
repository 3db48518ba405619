export function Month() { return null; }
export function Transactions() { return null; }
export function Advice() { return null; }
export function OwnData() { return null; }
