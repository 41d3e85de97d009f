// Run by `make client`, which prepares the documents: see tools/typescript_client.py.
const services = ["contracts", "attribution", "dispatch", "kpi"];

export default services.map((service) => ({
  input: `../../build/client/${service}.json`,
  output: { path: `src/generated/${service}`, module: { extension: ".js" } },
  logs: { level: "warn" },
  plugins: ["@hey-api/typescript", "@hey-api/sdk", "@hey-api/client-fetch"],
}));
