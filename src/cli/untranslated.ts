/** Why a cluster cannot keep its own addresses, whoever asks for it. */
export const UNTRANSLATED = "untranslated routing is not available in this version; leave it on";
