/** What the storefront's kit exports. Names of the service's fields are in camelCase. */

export interface AuthOptions {
  /** Where the service is, such as https://auth.shop.example. */
  baseUrl: string;
  /** The storefront's id, where the session must belong to it; usually left out. */
  clientId?: string;
  /** token: this page holds the refresh token; cookie: the browser does. */
  mode?: "token" | "cookie";
  /**
   * Where tokens outlive the page: localStorage, or your own. In mode cookie device
   * tokens alone, which are no logins.
   */
  storage?: AuthStorage | null;
  /**
   * Solves what the service asks for before a suspicious send; null gives up. Without
   * it, and when the solution is not taken, `send` throws `challenge_required`.
   */
  solveChallenge?: (challenge: Challenge) => Promise<string | null> | string | null;
  /** Whose requests `fetch` gives the token; the page's and the service's origin. */
  audienceOrigins?: string[];
  fetch?: typeof fetch;
  /** Milliseconds since 1970. */
  now?: () => number;
  /** Runs the work alone among all tabs; Web Locks where there are any. */
  lock?: <T>(name: string, work: () => Promise<T>) => Promise<T>;
  /** How tabs talk to each other; a BroadcastChannel in browsers. */
  channel?: AuthChannel | null;
  /** Milliseconds before each repetition of a refresh whose answer was lost. */
  retryDelays?: readonly number[];
}

export interface AuthStorage {
  getItem(key: string): string | null | Promise<string | null>;
  setItem(key: string, value: string): void | Promise<void>;
  removeItem(key: string): void | Promise<void>;
}

export interface AuthChannel {
  postMessage(message: unknown): void;
  onmessage: ((event: MessageEvent) => void) | null;
  close(): void;
}

/** As the service wrote it: a document of altcha-lib's version 2. */
export interface AltchaChallenge {
  type: "altcha";
  expires_in: number;
  parameters: {
    algorithm: string;
    nonce: string;
    salt: string;
    cost: number;
    keyLength: number;
    keyPrefix: string;
    [name: string]: unknown;
  };
  signature: string;
}

/** For the vendor's widget; the solution is its token. */
export interface CaptchaChallenge {
  type: "turnstile" | "hcaptcha" | "recaptcha";
  site_key: string;
  /** Give it to the widget where it is there. */
  action?: string;
  /** Turnstile: give it to the widget, or the token is not taken. */
  cdata?: string;
}

export type Challenge = AltchaChallenge | CaptchaChallenge;

export type Channel = "sms" | "whatsapp" | "voice";
export type Purpose = "login" | "verify" | "change";

export interface Turn {
  /** False: waiting will not help. */
  allowed: boolean;
  /** Seconds. */
  retryIn: number | null;
}

export interface Next {
  sms: Turn;
  whatsapp: Turn;
  voice: Turn;
  check: Turn;
}

export interface Delivery {
  status: string;
  channel: Channel;
  attempt: number;
}

export interface SendRequest {
  phone: string;
  country?: string;
  channel?: Channel;
  purpose?: Purpose;
  locale?: string;
  client?: "web" | "android" | "ios" | "other";
  /** The app's own id of this device, up to 128 visible characters: a hint, no proof. */
  deviceId?: string;
  /** Such as ios or web, up to 32 of a-z, digits, `_`, `.`, `-`: a hint, no proof. */
  platform?: string;
}

export interface Sent {
  verificationId: string;
  /** Masked. */
  phone: string;
  purpose: Purpose;
  channel: Channel;
  expiresIn: number;
  codeLength: number;
  attemptsLeft: number;
  delivery: Delivery;
  next: Next;
}

export interface Status {
  state: "pending" | "verified" | "expired" | "exhausted" | "none";
  expiresIn: number;
  attemptsLeft: number;
  delivery: Delivery | null;
  next: Next;
}

export interface Verification {
  verificationId: string;
  phone: string;
  country?: string;
}

/** Another one than the last one sent, such as one from before a reload. */
export interface WhichVerification {
  verificationId?: string;
  phone?: string;
}

export interface VerifyOptions extends WhichVerification {
  /** What the list of sessions calls this device. */
  deviceName?: string;
  /** phone: the access tokens name the phone number, too. */
  scope?: "phone";
}

export interface User {
  id: string;
  /** Masked after a reload in cookie mode, unless the login asked for scope phone. */
  phone: string;
  roles: string[];
  firstLogin?: boolean;
}

export interface LoggedIn {
  verified: true;
  user: User;
}

/** The code was right, for purpose `verify`: a signed receipt, and no login. */
export interface Verified {
  verified: true;
  user: null;
  verificationToken: string;
  expiresIn: number;
}

export interface Me {
  user: User;
  session: { id: string; device: string; createdAt: number; expiresIn: number };
}

export interface SessionInList {
  id: string;
  device: string;
  client: string;
  createdAt: number;
  lastUsedAt: number;
  current: boolean;
}

/** ended: the service ended the session, or it ran out. */
export type ChangeReason = "login" | "refresh" | "logout" | "ended" | "other_tab";

export interface Change {
  loggedIn: boolean;
  user: User | null;
  reason: ChangeReason;
}

export interface Auth {
  send(request: SendRequest): Promise<Sent>;
  /** The same code again, by another way where there is one. */
  resend(options?: { channel?: Channel; locale?: string }): Promise<Sent>;
  verify(code: string, options?: VerifyOptions): Promise<LoggedIn | Verified>;
  /** How the verification stands. */
  status(): Promise<Status>;
  /** Move to the number that a code of purpose `change` was sent to. */
  changePhone(code: string, options?: WhichVerification): Promise<LoggedIn>;
  /** Who is logged in from before this page was loaded; null for nobody. */
  restore(): Promise<User | null>;
  me(): Promise<Me>;
  /** A token good for 30 seconds or more; null when nobody is logged in. */
  accessToken(): Promise<string | null>;
  /** A new access token, whatever is left of the old one. */
  refresh(): Promise<string | null>;
  logout(): Promise<void>;
  logoutAll(): Promise<void>;
  sessions(): Promise<SessionInList[]>;
  endSession(id: string): Promise<void>;
  /** `fetch`, with the token for `audienceOrigins` alone. */
  fetch: typeof fetch;
  /** Returns what ends the listening. */
  onChange(listener: (change: Change) => void): () => void;
  /** Stop listening to other tabs. */
  close(): void;
  readonly user: User | null;
  readonly loggedIn: boolean;
  /** `next` of the last answer, its seconds counted down to now. */
  readonly waits: Next | null;
  /** The verification that `verify` and `resend` are about. */
  readonly verification: Verification | null;
}

export interface FieldError {
  field: string;
  message: string;
}

export declare function createAuth(options: AuthOptions): Auth;

/** The service said no. */
export declare class AuthError extends Error {
  constructor(
    code: string,
    details?: {
      status?: number;
      message?: string;
      retryAfter?: number | null;
      attemptsLeft?: number | null;
      next?: Next | null;
      requestId?: string | null;
      limit?: string | null;
      fields?: FieldError[];
      challenge?: Challenge | null;
    },
  );
  readonly code: string;
  readonly status: number;
  /** Seconds. */
  readonly retryAfter: number | null;
  readonly attemptsLeft: number | null;
  readonly next: Next | null;
  /** What support should be told. */
  readonly requestId: string | null;
  readonly limit: string | null;
  readonly fields: FieldError[];
  /** Code `challenge_required`: what is to be solved. */
  readonly challenge: Challenge | null;
}

/** No answer came: offline, blocked, or the page's origin is not known to the service. */
export declare class NetworkError extends Error {
  constructor(cause: unknown);
  readonly timedOut: boolean;
}
