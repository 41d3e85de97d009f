import type { Problem } from "./generated/attribution/index.js";

/** RFC 9457 problem details, as every service tells them. `code` is stable: branch on it. */
export type { Problem };

/** The code of problems that this client makes itself: nobody gave an answer that could be read. */
export const NO_ANSWER = "no-answer";

export const PROBLEM_MEDIA_TYPE = "application/problem+json";

/** An answer that stands in where none came; `status` is what a proxy said, or 503. */
export function noAnswer(detail: string, status = 503): Response {
  const problem: Problem = {
    type: "about:blank",
    title: "There was no answer",
    status,
    code: NO_ANSWER,
    detail,
  };
  return new Response(JSON.stringify(problem), {
    status,
    headers: { "Content-Type": PROBLEM_MEDIA_TYPE },
  });
}

/** What `orThrow` throws: a problem as an `Error`. */
export class Refused extends Error {
  override readonly name = "Refused";

  constructor(readonly problem: Problem) {
    super(`${problem.status} ${problem.code}: ${problem.detail}`);
  }

  get code(): string {
    return this.problem.code;
  }
}

/**
 * Return what was answered, for those who would rather catch than ask.
 *
 * @throws Refused when the service refused, or nobody answered.
 */
export function orThrow<Data>(answered: { data: Data; error: undefined } | { data: undefined; error: Problem }): Data {
  if (answered.error !== undefined) throw new Refused(answered.error);
  return answered.data;
}
