import { isMultivalued } from "./context.ts";

/**
 * The condition keys that any service may have, in lower case; a `/` is followed by a tag's key.
 * Source: IAM User Guide, "AWS global condition context keys"; `aws:PrincipalOrgMasterAccountId` from AWS's own policies.
 */
const GLOBAL_KEYS = new Set(
  `assumedroot calledvia calledviaawsmcp calledviafirst calledvialast chatbotsourcearn currenttime
   ec2instancesourceprivateipv4 ec2instancesourcevpc epochtime federatedprovider ismcpserviceaction multifactorauthage
   multifactorauthpresent principalaccount principalarn principalisawsservice principalorgid principalorgmasteraccountid
   principalorgpaths principalservicename principalservicenameslist principaltag/ principaltype referer requestedregion
   requesttag/ resourceaccount resourceorgid resourceorgpaths resourcetag/ securetransport signinsessionarn sourceaccount
   sourcearn sourceidentity sourceip sourceorgid sourceorgpaths sourcevpc sourcevpcarn sourcevpce tagkeys tokenissuetime
   useragent userid username viaawsmcpservice viaawsservice vpceaccount vpceorgid vpceorgpaths vpcsourceip`
    .split(/\s+/)
    .map((name) => `aws:${name}`),
);

/** Whether a key of AWS's own (`aws:...`) is one that there is. @param key in lower case */
export function isGlobalKey(key: string): boolean {
  return GLOBAL_KEYS.has(key.replace(/\/.*/s, "/"));
}

/** Whether a key is known to hold one value; of keys that services define, it is not known. @param key in lower case */
export function isSingleValued(key: string): boolean {
  const isPaths = key.endsWith("orgpaths");
  return key === "iam:passedtoservice" || (isGlobalKey(key) && !isMultivalued(key) && !isPaths);
}
