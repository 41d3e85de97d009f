import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { NO_ANSWER, Refused, attribution, connect, orThrow, post, retryAfter, sending, yuan } from "../src/index.js";

type Answers = (request: IncomingMessage, response: ServerResponse, nth: number) => void;
const asked: { method: string; key: string | undefined; type: string | undefined; body: string }[] = [];
let answers: Answers;
let url: string;

const server = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk) => (body += chunk));
  request.on("end", () => {
    const { "idempotency-key": key, "content-type": type } = request.headers;
    asked.push({ method: request.method ?? "", key: key as string | undefined, type, body });
    answers(request, response, asked.length);
  });
});

before(() => new Promise<void>((ready) => server.listen(0, "127.0.0.1", () => {
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  ready();
})));
after(() => server.close());

function serve(given: Answers): void {
  asked.length = 0;
  answers = given;
}

function refuse(response: ServerResponse, status: number, code: string, headers = {}): void {
  response.writeHead(status, { "Content-Type": "application/problem+json", ...headers });
  response.end(JSON.stringify({ type: `/problems/${code}`, title: code, status, code, detail: code }));
}

const huaxiao = () => connect({ url, token: () => "token" });
const quarantine = (client = huaxiao()) =>
  attribution.listQuarantine({ client: client.attribution, path: { branch_id: 130123 } });

test("a request goes again with the same key until it is answered", async () => {
  serve((_, response, nth) => {
    if (nth === 1) return refuse(response, 503, "overloaded", { "Retry-After": "0" });
    if (nth === 2) return void response.destroy();
    response.writeHead(200, { "Content-Type": "application/json" });
    response.end('{"booked": 1, "outcomes": []}');
  });
  const { data } = await post(huaxiao(), []);
  assert.equal(data?.booked, 1);
  assert.equal(asked.length, 3);
  assert.equal(new Set(asked.map((one) => one.key)).size, 1);
  assert.ok(asked[0]?.key);
  assert.deepEqual(asked.map((one) => one.body), ["[]", "[]", "[]"]);
  assert.equal(asked[0]?.type, "application/cloudevents-batch+json");
});

test("reading carries no key, and a refusal is told by its code at once", async () => {
  serve((_, response) => refuse(response, 403, "forbidden"));
  const { error } = await quarantine();
  assert.equal(error?.code, "forbidden");
  assert.deepEqual(asked.map((one) => one.key), [undefined]);
});

test("who is asked to wait too long tells its caller", async () => {
  serve((_, response) => refuse(response, 429, "too-many-requests", { "Retry-After": "3600" }));
  const { error, response } = await quarantine();
  assert.equal(error?.code, "too-many-requests");
  assert.equal(response && retryAfter(response), 3600);
  assert.equal(asked.length, 1);
});

test("nothing waits beyond the deadline, and nothing is tried behind it", async () => {
  serve(() => undefined);
  const { error } = await quarantine(connect({ url, token: () => "token", deadline: 0.2 }));
  assert.equal(error?.code, NO_ANSWER);
  assert.equal(asked.length, 1);
});

test("what is no problem of a service is told as no answer", async () => {
  serve((_, response) => void response.writeHead(413, { "Content-Type": "text/html" }).end("<html>"));
  const { error } = await quarantine();
  assert.equal(error?.code, NO_ANSWER);
  assert.equal(error?.status, 413);
});

test("in a long fault few requests are tried again", async () => {
  let sent = 0;
  const fetching = sending({
    fetch: async () => {
      sent += 1;
      return new Response(null, { status: 503, headers: { "Retry-After": "0" } });
    },
  });
  await Promise.all(Array.from({ length: 40 }, () => fetching("http://nobody.invalid/")));
  assert.ok(sent > 40 && sent <= 40 + 20 + 40 * 0.1, `${sent}`);
});

test("whoever would rather catch gets an error with the code", async () => {
  serve((_, response) => refuse(response, 404, "not-found"));
  const answered = await quarantine();
  assert.throws(() => orThrow(answered), (error) => error instanceof Refused && error.code === "not-found");
});

test("amounts are exact or refused", () => {
  assert.equal(yuan(-1234567), "-12,345.67");
  assert.equal(yuan(10 ** 15), "10,000,000,000,000.00");
  assert.equal(yuan(5n), "0.05");
  assert.throws(() => yuan(2 ** 53), RangeError);
  assert.throws(() => yuan(0.5), RangeError);
});
