/** Compiled, never run: the types say yes to what the README shows, and no to mistakes. */

import { AuthError, createAuth } from "../../../clients/js/index.js";
import {
  type Identity,
  TokenError,
  createVerifier,
} from "../../../clients/js/verifier.js";

const auth = createAuth({
  baseUrl: "https://auth.shop.example",
  storage: localStorage,
  solveChallenge: async (challenge) => {
    if (challenge.type === "altcha") return challenge.parameters.keyPrefix;
    return challenge.type === "turnstile" ? (challenge.cdata ?? null) : null;
  },
});
const sent = await auth.send({
  phone: "+919876543210",
  country: "IN",
  purpose: "login",
});
const seconds: number | null = sent.next.sms.retryIn;
const won = await auth.verify("123456", { deviceName: "Asha's phone", scope: "phone" });
const id: string | undefined = won.user?.id;
const response: Response = await auth.fetch("/orders", { method: "POST", body: "{}" });
auth.onChange(({ loggedIn, reason }) => console.log(loggedIn, reason === "ended"));
if (won.user === null) console.log(won.verificationToken);

const verifier = createVerifier({
  issuer: "https://auth.shop.example",
  audience: "quickcart",
  baseUrl: "http://auth:5000",
  allowHttp: true,
  introspection: { clientId: "svc-a", clientSecret: "b", onFailure: "refuse" },
});
const identity: Identity = await verifier.authorize(new Request("/"), {
  role: "admin",
  live: true,
  maxAgeSeconds: 300,
});
const roles: string[] = identity.roles;
const error: unknown = new TokenError("invalid_token");
if (error instanceof AuthError) console.log(error.attemptsLeft);

// @ts-expect-error: there is no such mode.
createAuth({ baseUrl: "", mode: "session" });
// @ts-expect-error: the audience is needed.
createVerifier({ issuer: "" });
// @ts-expect-error: a code is text.
await auth.verify(123456);
console.log(seconds, id, response, roles);
