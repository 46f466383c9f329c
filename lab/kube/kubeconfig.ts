/** Authority is how a kubeconfig has the CA of its server: by a file beside it, or whole. */
export type Authority =
  | { readonly "certificate-authority": string }
  | { readonly "certificate-authority-data": string };

/** renderKubeconfig is a kubeconfig of one user of one server, who has a token. */
export function renderKubeconfig(server: string, authority: Authority, token: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "lab", cluster: { server, ...authority } }],
    users: [{ name: "user", user: { token } }],
    contexts: [{ name: "lab", context: { cluster: "lab", user: "user" } }],
    "current-context": "lab",
  });
}
