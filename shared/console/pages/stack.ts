import type * as z from "zod";
import { CheckStackRoles } from "../../contract/check-stack-roles.ts";
import { DescribeInstances } from "../../contract/describe-instances.ts";
import { DescribeLayers } from "../../contract/describe-layers.ts";
import { DescribeStacks } from "../../contract/describe-stacks.ts";
import { findRows, positionOf } from "../find-rows.ts";
import { type Content, html, type Html, name, sentence } from "../html.ts";
import { list, searchedFor, searchForm, table } from "../list.ts";
import { stackPath } from "../names-of-stacks.ts";
import type { Page, Visit } from "../page.ts";
import { part, showPart } from "../part.ts";
import { stackTabs } from "../stack-tabs.ts";
import { time } from "../words.ts";

type Stack = z.output<typeof DescribeStacks.output>["Stacks"][number];
type Layer = z.output<typeof DescribeLayers.output>["Layers"][number];
type Instance = z.output<typeof DescribeInstances.output>["Instances"][number];
type Checked = z.output<typeof CheckStackRoles.output>;
type Gap = Checked["RoleGaps"][number];

/** A stack, what runs in it, and what its roles lack; each part for whoever may ask its operation. */
export const stack: Page = {
  path: "/console/stacks/:StackId",
  async get(visit) {
    const { StackId = "" } = visit.params;
    const { call } = visit;
    const [described, layers, instances, roles] = await Promise.all([
      part(call(DescribeStacks, { StackIds: [StackId] })),
      part(call(DescribeLayers, { StackId })),
      part(findInstances(visit, StackId)),
      part(call(CheckStackRoles, { StackId })),
    ]);
    // Who may see none of it reads why, and nothing else.
    const { refusal } = described;
    if (refusal && layers.refusal && instances.refusal && roles.refusal) throw refusal;
    const named = described.answer?.Stacks[0];
    const layerNames = new Map(layers.answer?.Layers.map(({ LayerId, Name }) => [LayerId, Name]));
    return {
      title: named?.Name ?? StackId,
      section: "stacks",
      body: html`${stackTabs(StackId, "")}
${showPart(described, ({ Stacks: [of] }) => html`${of && settings(of)}`)}
<h2 id="roles">Roles</h2>
${showPart(roles, (checked) => showRoles(checked))}
<h2>Layers</h2>
${showPart(layers, ({ Layers }) => showLayers(Layers))}
<h2 id="instances">Instances</h2>
${showPart(instances, ({ rows, next }) => showInstances(visit, rows, next, layerNames))}`,
    };
  },
};

function settings(of: Stack): Html {
  const { Name, Region, StackId, Arn, CreatedAt, ServiceRoleArn, DefaultInstanceProfileArn } = of;
  const rest = { "Operating system": of.DefaultOs, VPC: of.VpcId };
  return html`<div class="card"><dl>
<dt>Name</dt><dd>${name(Name)}</dd>
<dt>Region</dt><dd>${Region}</dd>
<dt>Id</dt><dd><code>${StackId}</code></dd>
<dt>ARN</dt><dd><span class="key">${Arn}</span></dd>
<dt>Created</dt><dd>${time(new Date(CreatedAt))}</dd>
<dt>Service role</dt><dd><span class="key">${name(ServiceRoleArn)}</span></dd>
<dt>Instance profile</dt><dd><span class="key">${name(DefaultInstanceProfileArn)}</span></dd>
${Object.entries(rest).map(([label, value]) => value !== undefined && html`<dt>${label}</dt><dd>${name(value)}</dd>`)}
</dl></div>`;
}

function showRoles({ RoleGaps, NotKnown = [] }: Checked): Html {
  const gaps = RoleGaps.toSorted((a, b) => Number(b.severity === "error") - Number(a.severity === "error"));
  return html`${
    NotKnown.length > 0 &&
    html`<div class="note"><p>Neither IAM nor an import could be asked about these, so what they lack is not known:</p><ul>${NotKnown.map((arn) => html`<li><span class="key">${name(arn)}</span></li>`)}</ul></div>`
  }${
    gaps.length > 0
      ? gaps.map(showGap)
      : NotKnown.length === 0 &&
        html`<p class="note good">The service role and the instance profiles of the stack and its layers lack nothing.</p>`
  }`;
}

function showGap({ severity, Arn, message, policy, path, mend }: Gap, index: number): Html {
  const isError = severity === "error";
  return html`<article class="card gap ${severity}"><h3><span class="severity">${isError ? "Error" : "Warning"}</span> <span class="key">${name(Arn)}</span></h3>
<p>${sentence(message)}</p>
${
  policy !== undefined &&
  html`<p class="hint">In ${name(policy)}${path !== undefined && html`, at <code>${name(path)}</code>`}</p>`
}${mend !== undefined && showMend(mend, path, `mend-${index}`)}</article>`;
}

/** For the clipboard, as IAM takes it. */
function showMend(mend: unknown, path: string | undefined, id: string): Html {
  return html`<details><summary>${path === undefined ? "The JSON that mends it" : "The JSON that mends it, in place of what is there"}</summary>
<div class="copied"><button type="button" data-copies="${id}" hidden>Copy</button><pre tabindex="0" aria-label="JSON"><code id="${id}">${JSON.stringify(mend, null, 2)}</code></pre></div></details>`;
}

function showLayers(layers: readonly Layer[]): Html {
  if (layers.length === 0)
    return html`<div class="empty">The stack has no layer. The operation CreateLayer adds one.</div>`;
  return table(
    "Layers, with the instance profile that applies",
    ["Layer", "Short name", "Type", "Instance profile"],
    layers.map(({ LayerId, Name, Shortname, Type, InstanceProfileArn, CustomInstanceProfileArn }) => [
      html`${name(Name)}<span class="arn">${LayerId}</span>`,
      html`<code>${Shortname}</code>`,
      Type,
      html`<span class="key">${name(InstanceProfileArn)}</span><span class="from">${CustomInstanceProfileArn === undefined ? "the stack’s" : "its own"}</span>`,
    ]),
  );
}

function findInstances(visit: Visit, StackId: string) {
  const search = searchedFor(visit);
  const fetch = async (paging: { MaxResults: number; NextToken?: string }) => {
    const { Instances, NextToken } = await visit.call(DescribeInstances, { StackId, ...paging });
    return { rows: Instances, NextToken };
  };
  const isWanted = ({ Hostname = "", Ec2InstanceId, PublicIp = "", PrivateIp = "" }: Instance) =>
    `${Hostname}\n${Ec2InstanceId}\n${PublicIp}\n${PrivateIp}`.toLowerCase().includes(search ?? "");
  return findRows(fetch, positionOf(visit.request.query), search === undefined ? undefined : isWanted);
}

function showInstances(
  visit: Visit,
  rows: readonly Instance[],
  next: Parameters<typeof list>[1]["next"],
  layerNames: ReadonlyMap<string, string>,
): Html {
  const isSearched = searchedFor(visit) !== undefined;
  const isAll = rows.length === 0 && !isSearched;
  return html`${!isAll && searchForm(visit, "Search by host name, id or address")}
${list(visit, {
  caption: isSearched ? "Instances that match" : "Instances that are registered with the stack",
  columns: ["Instance", "Platform", "Layers", "Public IP", "Private IP", "Instance profile"],
  rows: rows.map((instance) => [
    html`${name(instance.Hostname ?? instance.Ec2InstanceId)}<span class="arn">${instance.Ec2InstanceId}</span>`,
    instance.Platform,
    layersOf(instance, layerNames),
    instance.PublicIp ?? "–",
    instance.PrivateIp ?? "–",
    html`<span class="key">${name(instance.InstanceProfileArn)}</span>`,
  ]),
  next,
  empty: isSearched
    ? html`No instance matches. <a href="${stackPath(visit.params.StackId ?? "")}#instances">Show all</a>`
    : "No instance is registered. The operation RegisterInstance adds one, and SSH/RDP then does something there.",
})}`;
}

function layersOf({ LayerIds }: Instance, layerNames: ReadonlyMap<string, string>): Content {
  if (LayerIds.length === 0) return "–";
  return LayerIds.map((id, index) => html`${index > 0 && ", "}${name(layerNames.get(id) ?? id)}`);
}
