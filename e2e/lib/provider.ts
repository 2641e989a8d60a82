// An OpenID provider for one test: a page on which somebody says who they are, a token endpoint that checks client, code and
// PKCE, and RS256 tokens. It is reached by another host name than the till, so that for the browser it is another site.
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export const clientID = 'till';
export const clientSecret = 'a secret of the tests';

interface Grant {
  email: string;
  nonce: string;
  challenge: string;
  redirect: string;
  authTime: number;
}

const page = (body: string) =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Example ID</title></head><body><main><h1>Example ID</h1>${body}</main></body></html>`;

const escape = (s: string) => s.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

export class Provider {
  readonly issuer: string;
  away = false; // true: it answers 503 to everything
  private readonly keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  private readonly codes = new Map<string, Grant>();
  private signedIn?: { email: string; at: number }; // one browser, as in the tests

  private constructor(private readonly server: Server) {
    this.issuer = `http://localhost:${(server.address() as AddressInfo).port}`;
    server.on('request', async (request, response) => {
      if (this.away) return response.writeHead(503).end();
      const { status = 200, type = 'text/html; charset=utf-8', body = '', location } = await this.answer(request);
      response.writeHead(status, location ? { location } : { 'content-type': type }).end(body);
    });
  }

  static async start(): Promise<Provider> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
    return new Provider(server);
  }

  // forget is a browser that was never there.
  forget(): void {
    this.signedIn = undefined;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage): Promise<{ status?: number; type?: string; body?: string; location?: string }> {
    const url = new URL(request.url!, this.issuer);
    const json = (value: unknown, status = 200) => ({ status, type: 'application/json', body: JSON.stringify(value) });
    switch (url.pathname) {
      case '/.well-known/openid-configuration':
        return json({
          issuer: this.issuer,
          authorization_endpoint: `${this.issuer}/authorize`,
          token_endpoint: `${this.issuer}/token`,
          jwks_uri: `${this.issuer}/keys`,
          id_token_signing_alg_values_supported: ['RS256'],
        });
      case '/keys':
        return json({ keys: [{ ...this.keys.publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'RS256' }] });
      case '/authorize':
        return this.authorize(url, request);
      case '/token':
        return json(...this.token(new URLSearchParams(await read(request)), request.headers.authorization ?? ''));
    }
    return { status: 404 };
  }

  // authorize asks who is there, unless they said so before and nobody wants to hear it again.
  private async authorize(url: URL, request: IncomingMessage) {
    const q = url.searchParams;
    const again = q.get('prompt') !== null;
    if (request.method === 'POST') {
      const form = new URLSearchParams(await read(request));
      if (form.has('cancel')) return back(q, { error: 'access_denied' });
      this.signedIn = { email: form.get('email')!, at: now() };
    } else if (!this.signedIn || again) {
      return {
        body: page(`<form method="post" action="${escape(url.pathname + url.search)}"><p><label>Account <input name="email"></label></p>
          <p><button name="ok">Sign in there</button> <button name="cancel">Cancel</button></p></form>`),
      };
    }
    const code = randomBytes(16).toString('hex');
    this.codes.set(code, {
      email: this.signedIn!.email,
      nonce: q.get('nonce')!,
      challenge: q.get('code_challenge')!,
      redirect: q.get('redirect_uri')!,
      authTime: this.signedIn!.at,
    });
    return back(q, { code });
  }

  private token(form: URLSearchParams, authorization: string): [unknown, number?] {
    const basic = Buffer.from(`${clientID}:${encodeURIComponent(clientSecret).replace(/%20/g, '+')}`).toString('base64');
    if (authorization !== `Basic ${basic}`) return [{ error: 'invalid_client' }, 401];
    const grant = this.codes.get(form.get('code') ?? '');
    this.codes.delete(form.get('code') ?? '');
    const proof = createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url');
    if (!grant || grant.challenge !== proof || grant.redirect !== form.get('redirect_uri')) return [{ error: 'invalid_grant' }, 400];
    const claims = { iss: this.issuer, aud: clientID, sub: `sub-${grant.email}`, email: grant.email, email_verified: true };
    const times = { nonce: grant.nonce, auth_time: grant.authTime, iat: now(), exp: now() + 300 };
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const text = `${part({ alg: 'RS256', kid: 'one', typ: 'JWT' })}.${part({ ...claims, ...times })}`;
    const idToken = `${text}.${sign('RSA-SHA256', Buffer.from(text), this.keys.privateKey).toString('base64url')}`;
    return [{ access_token: randomBytes(8).toString('hex'), token_type: 'Bearer', id_token: idToken }];
  }
}

const now = () => Math.floor(Date.now() / 1000);

function back(q: URLSearchParams, answer: Record<string, string>) {
  const to = new URL(q.get('redirect_uri')!);
  for (const [name, value] of Object.entries({ ...answer, state: q.get('state')! })) to.searchParams.set(name, value);
  return { status: 302, location: to.href };
}

async function read(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}
