// Names of data and output in S3.

/** Below output/ in the bucket of the data, named after both. */
export function outputFor(data: string, model: string): string {
  const [, , bucket, ...rest] = data.split("/");
  const [stem, ...endings] = (rest.pop() ?? "rows.csv").split(".");
  const own = model.split("/").pop()!.replace(/\.\w+$/, "").replace(/[^\w.-]+/g, "-");
  return `s3://${bucket}/output/${[`${stem}-${own}`, ...endings].join(".")}`;
}

/** A file's name in the form that the API accepts: letters, digits, dots and dashes, at most a hundred, with its endings. */
export function nameFor(file: string): string {
  const plain = file.normalize("NFKD").replace(/[^A-Za-z0-9_.-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "");
  return plain.length > 100 ? plain.slice(-100).replace(/^[^A-Za-z0-9]+/, "") : plain || "rows.csv";
}
