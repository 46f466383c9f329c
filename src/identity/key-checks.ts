import { createPrivateKey, type KeyObject } from "node:crypto";
import { err, type Millis, ok, type Result } from "#values";
import type { BrokerCa } from "./broker-ca.ts";
import { readCertificate } from "./pem.ts";

/** PairOnDisk is a private key and its certificate as they were read. */
export interface PairOnDisk {
  readonly keyPath: string;
  readonly keyText: string;
  readonly certPath: string;
  readonly certText: string;
  readonly now: Millis;
}

/** checkCa turns an authority's two files into one, or says which of them is damaged. */
export function checkCa({ keyPath, keyText, certPath, certText, now }: PairOnDisk): Result<BrokerCa> {
  const privateKey = readPrivateKey(keyText);
  if (privateKey === undefined) return damaged(keyPath);
  // self-signed: what the authority says of itself must hold too
  const certificate = readCertificate(certText);
  if (certificate === undefined || !certificate.ca || !certificate.verify(certificate.publicKey))
    return damaged(certPath);
  if (!certificate.checkPrivateKey(privateKey))
    return err(`${keyPath} is not the key of ${certPath}: restore both from one backup`);
  if (now < certificate.validFromDate.getTime()) {
    return err(`${certPath} is valid from ${certificate.validFrom} on: this host's clock is wrong`);
  }
  return now < certificate.validToDate.getTime()
    ? ok({ pem: certText, privateKey })
    : err(`${certPath} ended at ${certificate.validTo}, or this host's clock is wrong`);
}

/** readPrivateKey reads a P-256 key in PKCS #8 PEM. */
export function readPrivateKey(pem: string): KeyObject | undefined {
  try {
    const key = createPrivateKey(pem);
    return key.asymmetricKeyType === "ec" ? key : undefined;
  } catch {
    return undefined;
  }
}

/** Nothing but a backup brings an authority back. */
function damaged(path: string): Result<never> {
  return err(`${path} is damaged: restore it from a backup`);
}
