/**
 * For pages and apps: log a person in by phone and keep them logged in.
 * Services that check tokens want verifier.js.
 */

export { createAuth } from "./client.js";
export { AuthError, NetworkError } from "./errors.js";
