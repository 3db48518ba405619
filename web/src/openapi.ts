// The API's description as the reference shows it: operations, schemas in words, an example for a body.

export interface Schema {
  $ref?: string; type?: string | string[]; format?: string; enum?: unknown[]; const?: unknown; anyOf?: Schema[]; oneOf?: Schema[]; items?: Schema;
  properties?: Record<string, Schema>; required?: string[]; additionalProperties?: Schema | boolean; description?: string; default?: unknown;
  examples?: unknown[]; example?: unknown; minimum?: number; maximum?: number; minLength?: number; maxLength?: number; pattern?: string; title?: string;
}
export interface Parameter { name: string; in: "path" | "query" | "header"; required?: boolean; description?: string; schema: Schema }
export interface Operation {
  operationId: string; summary: string; description?: string; tags?: string[]; parameters?: Parameter[]; security?: Record<string, unknown>[];
  requestBody?: { content: Record<string, { schema: Schema }> }; responses: Record<string, { description?: string; content?: Record<string, { schema: Schema }> }>;
}
export interface Description { paths: Record<string, Record<string, Operation>>; components: { schemas: Record<string, Schema> } }
export interface Listed extends Operation { method: string; path: string }

export function operations(description: Description): Listed[] {
  return Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })));
}

/** Does an operation hold all the words that somebody searches for? */
export function matches(operation: Listed, text: string): boolean {
  const all = [operation.method, operation.path, operation.operationId, operation.summary, operation.description, ...(operation.tags ?? []), ...(operation.parameters ?? []).map((each) => each.name)].join(" ").toLowerCase();
  return text.toLowerCase().split(/\s+/).every((word) => all.includes(word));
}

export const nameOf = (schema: Schema): string | undefined => schema.$ref?.split("/").pop();

export function resolve(schema: Schema, description: Description): Schema {
  const name = nameOf(schema);
  return name ? description.components.schemas[name] ?? {} : schema;
}

/** What a value is, in a word or two. */
export function kindOf(schema: Schema): string {
  const name = nameOf(schema);
  if (name) return name;
  if (schema.enum) return schema.enum.map((each) => JSON.stringify(each)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const several = schema.anyOf ?? schema.oneOf;
  if (several) return [...new Set(several.map(kindOf))].join(" | ");
  if (schema.type === "array") return `${kindOf(schema.items ?? {})}[]`;
  if (schema.type === "object" && typeof schema.additionalProperties === "object") return `map of ${kindOf(schema.additionalProperties)}`;
  const type = Array.isArray(schema.type) ? schema.type.join(" | ") : schema.type ?? "any";
  return schema.format ? `${type} (${schema.format})` : type;
}

/** What else must hold, such as a range. */
export function boundsOf(schema: Schema): string {
  const said: string[] = [];
  if (schema.minimum !== undefined || schema.maximum !== undefined) said.push(`${schema.minimum ?? "…"} to ${schema.maximum ?? "…"}`);
  if (schema.maxLength !== undefined) said.push(`at most ${schema.maxLength} characters`);
  if (schema.default !== undefined && schema.default !== null) said.push(`default ${JSON.stringify(schema.default)}`);
  return said.join(", ");
}

/** A value that a schema allows, to begin with. */
export function exampleOf(schema: Schema, description: Description, depth = 0): unknown {
  if (schema.examples?.length) return schema.examples[0];
  if (schema.example !== undefined) return schema.example;
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  const found = resolve(schema, description);
  if (found !== schema) return depth > 6 ? {} : exampleOf(found, description, depth + 1);
  const several = schema.anyOf ?? schema.oneOf;
  if (several && !schema.properties) return exampleOf(several.find((each) => each.type !== "null") ?? several[0], description, depth + 1);
  if (schema.properties) {
    const required = new Set(schema.required ?? []);
    const wanted = required.size ? required : new Set(Object.keys(schema.properties).filter((name) => several?.[0]?.required?.includes(name)));
    return Object.fromEntries(Object.entries(schema.properties).filter(([name]) => wanted.has(name)).map(([name, each]) => [name, exampleOf(each, description, depth + 1)]));
  }
  if (schema.type === "array") return depth > 6 ? [] : [exampleOf(schema.items ?? {}, description, depth + 1)];
  if (schema.type === "integer" || schema.type === "number") return schema.minimum ?? 0;
  if (schema.type === "boolean") return false;
  if (schema.type === "object") return {};
  if (schema.format === "date") return "2026-11-21";
  if (schema.format === "date-time") return "2026-11-21T12:00:00Z";
  return schema.format === "uuid" ? "00000000-0000-4000-8000-000000000000" : "";
}

/** The path and query that an operation is called with; what is empty is left out. */
export function addressOf(operation: Listed, given: Record<string, string>): string {
  let path = operation.path;
  const search = new URLSearchParams();
  for (const parameter of operation.parameters ?? []) {
    const value = given[parameter.name] ?? "";
    if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encodeURIComponent(value));
    else if (parameter.in === "query" && value !== "") search.set(parameter.name, value);
  }
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}
