import { X509Certificate } from "node:crypto";
import { z } from "zod";
import {
  type ClusterId,
  err,
  type IdentityKey,
  type NodeName,
  ok,
  parseClusterId,
  parseIdentityKey,
  parseNodeName,
  parseUid,
  type Result,
  type Uid,
} from "#values";
import { parseBrokerUrl } from "./broker-url.ts";
import { privateKeyField } from "./private-key.ts";

/** Fields of the files of this room, as schemas that parse them at the door. */

/** parsed makes a schema of a parser of ours, whose words the error then has. */
function parsed<T>(parse: (text: string) => Result<T>, max = 300): z.ZodType<T> {
  return z
    .string()
    .max(max)
    .transform((text, context): T => {
      const result = parse(text);
      if (result.ok) return result.value;
      context.addIssue({ code: "custom", message: result.error });
      return z.NEVER;
    });
}

// The bounds on length are there so that no parser is given megabytes.
export const clusterField = parsed<ClusterId>(parseClusterId);
export const uidField = parsed<Uid>(parseUid);
export const nodeNameField = parsed<NodeName>(parseNodeName);
export const identityKeyField = parsed<IdentityKey>(parseIdentityKey);
export const brokerUrlField = parsed<string>(parseBrokerUrl, 600);
export const privateKeyPem = parsed(privateKeyField, 1000);
export const caPem = parsed<string>(parseCaPem, 20_000);

/** parseFile reads a JSON file's text by its schema. The error names the field and never shows a value: the file
 *  holds a secret, and JSON.parse's own message would quote it. */
export function parseFile<T>(schema: z.ZodType<T>, path: string, text: string): Result<T> {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return err(`${path} is not JSON: it is damaged`);
  }
  const result = schema.safeParse(raw);
  if (result.success) return ok(result.data);
  const issue = result.error.issues[0];
  return err(`${path}: ${issue?.path.join(".") || "file"}: ${issue?.message ?? "wrong"}`);
}

/** Kept as text: TLS wants the PEM, and OpenSSL has read it here once. */
function parseCaPem(text: string): Result<string> {
  try {
    return new X509Certificate(text).ca ? ok(text) : err("not the certificate of an authority");
  } catch {
    return err("not a certificate in PEM");
  }
}
