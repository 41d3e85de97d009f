import { attribution, connect, post, yuan } from "../src/index.js";

const huaxiao = connect({
  url: process.env["HUAXIAO_URL"] ?? "http://127.0.0.1:8100",
  token: () => process.env["HUAXIAO_TOKEN"] ?? "",
});

const { data: report, error } = await post(huaxiao, [
  {
    specversion: "1.0",
    id: "B-2017-11-000001",
    source: "/billing/130123",
    type: "bill_item.issued",
    time: "2017-11-30T10:00:00+08:00",
    branchid: 130123,
    data: {
      bill_item_id: "BI-000001",
      subscription_id: "S-000001",
      period: 201711,
      item_kind: "monthly",
      amount_fen: 5900,
      tax_fen: 354,
    },
  },
]);
if (error) {
  switch (error.code) {
    case "unauthenticated":
    case "forbidden":
      throw new Error(`Ask for another token: ${error.detail}`);
    case "no-answer":
      throw new Error("Send the same events again, later: none is booked twice.");
    default:
      throw new Error(`${error.code}: ${error.detail}`);
  }
}
for (const outcome of report.outcomes) console.log(outcome.index, outcome.code, outcome.message);

const held = await attribution.listQuarantine({
  client: huaxiao.attribution,
  path: { branch_id: 130123 },
  query: { state: "held" },
});
console.log(`${held.data?.items.length ?? 0} held; the bill is ${yuan(5900)} yuan`);
