import { X509Certificate } from "node:crypto";

/** derOf is the DER of a certificate in PEM; the text must be one. */
export function derOf(certificatePem: string): Uint8Array {
  return new X509Certificate(certificatePem).raw;
}

/** readCertificate gives undefined where a text is no certificate: OpenSSL's own words would say nothing to a person. */
export function readCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}
