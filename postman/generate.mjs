// Makes the collection of the service's own description, with the walk at its head.

import { walk } from "./walk.mjs";

const SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";
const METHODS = ["get", "post", "put", "patch", "delete"];

/** The collection (Postman's format 2.1) for a description (OpenAPI 3.1). */
export function collection(description) {
  const operations = operationsOf(description);
  const names = description.tags.map((tag) => tag.name);
  for (const { tags, operationId } of operations) {
    if (!names.includes(tags[0])) throw new Error(`${operationId} has no folder`);
  }
  const folders = description.tags.map((tag) => ({
    name: tag.name,
    description: tag.description,
    item: operations.filter(({ tags }) => tags[0] === tag.name).map((operation) => example(operation)),
  }));
  return {
    info: { name: description.info.title, description: description.info.description, schema: SCHEMA },
    auth: auth("basic", { username: "{{user}}", password: "{{password}}" }),
    item: [
      { name: walk.name, description: walk.description, item: walk.steps.map((step) => stepOf(step, operations)) },
      ...folders,
    ],
  };
}

/** The operations, with references resolved. */
function operationsOf(description) {
  const resolve = (node) => {
    if (Array.isArray(node)) return node.map(resolve);
    if (node === null || typeof node !== "object") return node;
    if (!node.$ref) return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, resolve(value)]));
    const { $ref, ...beside } = node;
    const found = $ref.slice(2).split("/").reduce((place, key) => place[key], description);
    return { ...resolve(found), ...resolve(beside) };
  };
  return Object.entries(description.paths).flatMap(([path, of]) =>
    METHODS.filter((method) => of[method]).map((method) => ({ path, method, ...resolve(of[method]) })),
  );
}

/** A request as the description shows it. */
function example(operation) {
  const [type, media] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  const statuses = Object.keys(operation.responses).map(Number);
  const isDescribed = `pm.expect(${JSON.stringify(statuses)}).to.include(pm.response.code)`;
  return item(operation, {
    name: operation.summary,
    description: operation.description,
    noauth: "security" in operation,
    type,
    body: media && JSON.stringify(exampleOf(media.schema), null, 2),
    test: [`pm.test("answers as described", () => ${isDescribed});`],
  });
}

/** A step of the walk. */
function stepOf({ operation: id, status, type, body, test, before, ...step }, operations) {
  const operation = operations.find(({ operationId }) => operationId === id);
  if (!operation) throw new Error(`the walk has an operation that the description has not: ${id}`);
  if (!operation.responses[status]) throw new Error(`${id} does not answer ${status}, says the description`);
  const text = typeof body === "object" ? JSON.stringify(body, null, 2) : body;
  return item(operation, {
    ...step,
    type: type ?? (body && "application/json"),
    body: text,
    before: before && linesOf(before),
    test: [`pm.test("answers ${status}", () => pm.response.to.have.status(${status}));`, ...(test ? linesOf(test) : [])],
  });
}

/** The lines inside a function, as Postman keeps a script. */
function linesOf(script) {
  const text = script.toString();
  const lines = text.slice(text.indexOf("{") + 1, text.lastIndexOf("}")).split("\n").filter((line) => line.trim());
  const indent = Math.min(...lines.map((line) => line.search(/\S/)));
  return lines.map((line) => line.slice(indent));
}

/** A request of the collection; parameters that are neither required nor given are in it, but not sent. */
function item({ method, path, parameters = [] }, { name, description, type, body, before, test, noauth, token, ...given }) {
  const values = (place, chosen = {}) =>
    parameters.filter((parameter) => parameter.in === place).map((parameter) => ({
      key: parameter.name,
      value: chosen[parameter.name] ?? String([exampleOf({ ...parameter.schema, ...parameter })].flat()[0] ?? ""),
      ...(!parameter.required && !(parameter.name in chosen) && { disabled: true }),
      description: parameter.description,
    }));
  const [query, variable] = [values("query", given.query), values("path", given.path)];
  const sent = query.filter(({ disabled }) => !disabled).map(({ key, value }) => `${key}=${value}`);
  const segments = path.slice(1).split("/").map((segment) => segment.replace(/^\{(.*)\}$/, ":$1"));
  const media = { "Content-Type": type, Accept: given.accept };
  const script = (listen, exec) => ({ listen, script: { type: "text/javascript", exec } });
  return {
    name,
    event: [...(before ? [script("prerequest", before)] : []), script("test", test)],
    request: {
      ...(noauth && { auth: { type: "noauth" } }),
      ...(token && { auth: auth("bearer", { token: "{{token}}" }) }),
      method: method.toUpperCase(),
      header: [
        ...Object.entries(media).filter(([, value]) => value).map(([key, value]) => ({ key, value })),
        ...values("header", given.header),
      ],
      ...(body !== undefined && { body: { mode: "raw", raw: body } }),
      url: {
        raw: `{{baseUrl}}/${segments.join("/")}${sent.length ? `?${sent.join("&")}` : ""}`,
        host: ["{{baseUrl}}"],
        path: segments,
        ...(query.length && { query }),
        ...(variable.length && { variable }),
      },
      description,
    },
    response: [],
  };
}

function auth(type, values) {
  return { type, [type]: Object.entries(values).map(([key, value]) => ({ key, value, type: "string" })) };
}

/** A value that fits a schema: the description's own example where there is one. */
function exampleOf(schema) {
  const shown = schema.example ?? schema.examples?.[0] ?? schema.default ?? schema.const ?? schema.enum?.[0];
  if (shown !== undefined) return shown;
  const alternative = schema.oneOf ?? schema.anyOf ?? schema.allOf;
  if (alternative) return exampleOf(alternative[0]);
  if (schema.properties) {
    return Object.fromEntries(Object.entries(schema.properties).map(([name, of]) => [name, exampleOf(of)]));
  }
  return schema.items ? [exampleOf(schema.items)] : undefined;
}
