import { createClient, type Client } from "./generated/client/index.js";
import { postEvents, type PostEventsData } from "./generated/attribution/index.js";
import { sending, type Sending } from "./sending.js";

export * as attribution from "./generated/attribution/index.js";
export * as contracts from "./generated/contracts/index.js";
export * as dispatch from "./generated/dispatch/index.js";
export * as kpi from "./generated/kpi/index.js";
export { yuan, type Fen } from "./money.js";
export { NO_ANSWER, Refused, orThrow, type Problem } from "./problems.js";
export { retryAfter, sending, type Sending } from "./sending.js";

const SERVICES = ["contracts", "attribution", "dispatch", "kpi"] as const;
export type Service = (typeof SERVICES)[number];

/** Where the suite is and who asks. */
export interface Connection extends Sending {
  /** The gateway's address, behind which each service has its name, or each service's own. */
  url: string | Record<Service, string>;
  /** Returns a bearer token; asked for every request, so that it may be renewed. */
  token: () => string | Promise<string>;
  /** The language of texts for people. */
  language?: "zh-CN" | "en";
}

/** What the generated functions take as `client`, one for each service. */
export type Huaxiao = Record<Service, Client>;

/** Prepare to ask the services. Nothing is sent yet. */
export function connect(connection: Connection): Huaxiao {
  const { url, token, language = "zh-CN" } = connection;
  const fetching = sending(connection);
  const client = (service: Service) =>
    createClient({
      baseUrl: typeof url === "string" ? `${url.replace(/\/$/, "")}/${service}` : url[service],
      fetch: fetching,
      auth: token,
      headers: { "Accept-Language": language },
    });
  return Object.fromEntries(SERVICES.map((one) => [one, client(one)])) as Huaxiao;
}

/** A business event as a CloudEvent 1.0. */
export type Event = PostEventsData["body"][number];

/**
 * Post up to 10,000 events at once. Safe to repeat: what is known is told as a duplicate, by its `id`.
 *
 * What could not be booked is named in `outcomes` and lies in quarantine.
 */
export function post(huaxiao: Huaxiao, events: Event[]) {
  return postEvents({ client: huaxiao.attribution, body: events });
}
