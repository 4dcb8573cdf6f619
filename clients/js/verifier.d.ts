/** What the kit exports for services. */

export interface VerifierOptions {
  /** TOKEN_ISSUER of the service, exactly. */
  issuer: string;
  /** Whom tokens must be for: TOKEN_AUDIENCE, or yours of STOREFRONT_AUDIENCES. */
  audience: string;
  /** Where the service is reached, where that is not the issuer. */
  baseUrl?: string;
  /**
   * Reach it by plain http, on any machine: whoever is on that network can hand out
   * keys, and reads the client's secret.
   */
  allowHttp?: boolean;
  /** For live checks. */
  introspection?: Introspection;
  fetch?: typeof fetch;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** Who asks: a service client of scope token:introspect. */
export interface Introspection {
  clientId: string;
  clientSecret: string;
  /** How old an answer may be; 5. */
  cacheSeconds?: number;
  /**
   * When the service cannot be asked: refuse (the default), or go by the signature
   * alone, where who was frozen gets in until the token ends.
   */
  onFailure?: "refuse" | "accept_offline";
}

export interface Wanted {
  role?: string;
  scope?: string;
  /** Ask the service: a logout or a freeze counts at once, and roles are today's. */
  live?: boolean;
  /** Seconds since the code was typed, at most. */
  maxAgeSeconds?: number;
  /** Take a service's own token, too, which speaks for no person. */
  allowService?: boolean;
}

/** Who calls: a person, or a service where services are allowed. */
export interface Identity {
  /** Opaque and stable: key your accounts by it. */
  subject: string;
  isService: boolean;
  /** null for a service. */
  sessionId: string | null;
  clientId: string;
  roles: string[];
  scopes: string[];
  amr: string[];
  acr: string;
  /** Unix seconds; so are all times. */
  authTime: number;
  issuedAt: number;
  expiresAt: number;
  /** E.164, where the login asked for scope phone. */
  phone: string | null;
  claims: Readonly<Record<string, unknown>>;
}

export interface Receipt {
  subject: string;
  phone: string;
  purpose: string;
  clientId: string;
  verifiedAt: number;
  expiresAt: number;
  claims: Readonly<Record<string, unknown>>;
}

/** Headers of a Request, or of node:http. */
export interface HasHeaders {
  headers: Headers | { authorization?: string | undefined };
}

export interface Verifier {
  /** Return whose access token it is. Throws TokenError. */
  verify(token: string, wanted?: Wanted): Promise<Identity>;
  /** The same for a request's bearer token. */
  authorize(request: HasHeaders, wanted?: Wanted): Promise<Identity>;
  /** Return what a verification token says: which phone, and when. Throws TokenError. */
  verifyReceipt(
    token: string,
    wanted?: { phone?: string; maxAgeSeconds?: number },
  ): Promise<Receipt>;
  /** What the service says of any token now (RFC 7662), at most 5 seconds old. */
  introspect(token: string): Promise<{ active: boolean; [claim: string]: unknown }>;
}

export type TokenErrorCode =
  | "invalid_token"
  | "fresh_login_required"
  | "insufficient_role"
  | "insufficient_scope"
  | "auth_unavailable";

export declare function createVerifier(options: VerifierOptions): Verifier;

/** Why a request is refused, and what to answer it. */
export declare class TokenError extends Error {
  constructor(
    code: TokenErrorCode,
    details?: { cause?: unknown; challenge?: string; reason?: string },
  );
  readonly code: TokenErrorCode;
  /** One word for your logs, such as `expired`; the caller is told the code alone. */
  readonly reason: string;
  /** 401, 403 or 503. */
  readonly status: number;
  readonly headers: Record<string, string>;
}
