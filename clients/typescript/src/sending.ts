import { NO_ANSWER, PROBLEM_MEDIA_TYPE, noAnswer } from "./problems.js";

/** How a request is sent. Times are in seconds. */
export interface Sending {
  /** How often a request is sent at most. */
  attempts?: number;
  /** After how long the caller has an answer, whatever becomes of it: all attempts and pauses together. */
  deadline?: number;
  /** Whoever is asked to wait longer than this tells its own caller instead. */
  longestPause?: number;
  /** What sends; the platform's own `fetch` unless a test says otherwise. */
  fetch?: typeof fetch;
}

/** Too many requests, or the service (or what stands before it) is away for a moment. */
const UNREADY = new Set([429, 502, 503, 504]);
const FIRST_PAUSE = 0.1;
const JITTER = 1;
const EARNED = 0.1;
const MOST = 20;

/**
 * Return a `fetch` that tries again what may be tried again, within a deadline.
 *
 * Every request of the services may be sent twice: reading changes nothing, and what writes carries an
 * `Idempotency-Key`, made here unless the caller gave one, which stays the same over all attempts. Through
 * a short fault everything is tried again, and in a long one at most every tenth request, so that retries do
 * not keep a service down. It never rejects: what was not answered is a problem with the code `no-answer`.
 */
export function sending(given: Sending = {}): typeof fetch {
  const { attempts = 3, deadline = 30, longestPause = 10 } = given;
  const send = given.fetch ?? fetch;
  let retriesLeft = MOST;

  return async (input, init) => {
    const asked = new Request(input, init);
    if (asked.method !== "GET" && asked.method !== "HEAD" && !asked.headers.has("Idempotency-Key")) {
      asked.headers.set("Idempotency-Key", crypto.randomUUID());
    }
    const ends = Date.now() + deadline * 1000;
    const late = AbortSignal.timeout(deadline * 1000);
    const signal = AbortSignal.any([asked.signal, late]);
    retriesLeft = Math.min(MOST, retriesLeft + EARNED);

    for (let attempt = 1; ; attempt += 1) {
      asked.headers.set("Prefer", `wait=${Math.max(1, Math.floor((ends - Date.now()) / 1000))}`);
      const answer = await attempted(send, asked.clone(), signal);
      const pause = retryAfter(answer) ?? FIRST_PAUSE * 2 ** (attempt - 1);
      const wait = pause + JITTER * Math.random();
      const again = UNREADY.has(answer.status) && attempt < attempts && pause <= longestPause;
      if (!again || signal.aborted || Date.now() + wait * 1000 >= ends || retriesLeft < 1) return answer;
      retriesLeft -= 1;
      await answer.body?.cancel();
      await elapsed(wait * 1000, signal);
    }
  };
}

async function attempted(send: typeof fetch, request: Request, signal: AbortSignal): Promise<Response> {
  try {
    const answer = await send(new Request(request, { signal }));
    if (answer.ok || answer.headers.get("Content-Type")?.startsWith(PROBLEM_MEDIA_TYPE)) return answer;
    await answer.body?.cancel();
    const unread = noAnswer(`Something before the service answered with ${answer.status}.`, answer.status);
    const pause = answer.headers.get("Retry-After");
    if (pause !== null) unread.headers.set("Retry-After", pause);
    return unread;
  } catch (error) {
    return noAnswer(signal.aborted ? `Given up: ${String(signal.reason)}` : String(error));
  }
}

/** The seconds that an answer asks to wait, from either form of `Retry-After` (RFC 9110, section 10.2.3). */
export function retryAfter(answer: Response): number | undefined {
  const said = answer.headers.get("Retry-After")?.trim();
  if (!said) return undefined;
  if (/^\d+$/.test(said)) return Number(said);
  const moment = Date.parse(said);
  return Number.isNaN(moment) ? undefined : Math.max(0, (moment - Date.now()) / 1000);
}

function elapsed(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done);
  });
}

export { NO_ANSWER };
