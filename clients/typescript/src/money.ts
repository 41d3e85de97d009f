/**
 * Money is whole fen (分) in a JSON number, in members named `…_fen`. One amount is at most 10^15 fen, and a
 * `number` holds whole numbers up to 2^53 ≈ 9 × 10^15 exactly: every amount is exact, and so is a sum of
 * nine of the largest. Beyond that, add as `bigint`.
 */
export type Fen = number;

/**
 * Return an amount in yuan, for people: `-1234567` is `-12,345.67`.
 *
 * @throws RangeError when it is not a whole number that a `number` holds exactly.
 */
export function yuan(amount: Fen | bigint): string {
  if (typeof amount === "number" && !Number.isSafeInteger(amount)) {
    throw new RangeError(`${amount} is not an exact amount of fen`);
  }
  const fen = BigInt(amount);
  const size = fen < 0n ? -fen : fen;
  const whole = (size / 100n).toString().replace(/\B(?=(\d{3})+$)/g, ",");
  return `${fen < 0n ? "-" : ""}${whole}.${(size % 100n).toString().padStart(2, "0")}`;
}
