// A certified OpenID provider on loopback, for as long as the pipe to it is open. The first line that it reads is JSON:
// the PEMs `certificate` and `key` of its TLS side, and the public JWK `client` of the clients that sign assertions. It
// answers with its address and that of its TLS side. Each further line is a command, answered with one line:
//   rotate   sign with new keys from now on, and publish them alone
//   rotate+  sign with new keys from now on, and publish the old ones beside them
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createInterface } from 'node:readline';
import Provider from 'oidc-provider';

// The library tells its notices by console.info, and standard output is for answers.
console.info = console.error;

const HOST = '127.0.0.1';
const AUDIENCE = 'orders-api';
const RESOURCES = 'https://api.example.test/';
const ALGORITHMS = {
  RS256: ['rsa', { modulusLength: 2048 }],
  PS256: ['rsa', { modulusLength: 2048 }],
  ES256: ['ec', { namedCurve: 'P-256' }],
  EdDSA: ['ed25519'],
  Ed25519: ['ed25519'],
};

const SILENT = { grant_types: [], redirect_uris: [], response_types: [] };
const CALLER = { ...SILENT, grant_types: ['client_credentials'], scope: 'orders:read orders:write' };

function clients(jwk) {
  const callers = {
    billing: {},
    'billing-dpop': { dpop_bound_access_tokens: true },
    'billing-mtls': { tls_client_certificate_bound_access_tokens: true },
    'billing-jwt': { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } },
  };
  const apis = {
    'orders-api': {},
    'orders-api-post': { token_endpoint_auth_method: 'client_secret_post' },
    'orders-api-jwt': { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } },
  };
  const described = ([id, more]) => ({ client_id: id, client_secret: `${id}-secret-for-tests-alone`, ...more });
  return [
    ...Object.entries(callers).map((one) => ({ ...CALLER, ...described(one) })),
    ...Object.entries(apis).map((one) => ({ ...SILENT, ...described(one) })),
  ];
}

function listening(server) {
  return new Promise((resolve) => {
    server.listen(0, HOST, () => resolve(server.address().port));
  });
}

function newKeys() {
  return Object.entries(ALGORITHMS).map(([alg, [type, options]]) => ({
    ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }),
    alg,
    kid: `${alg}-${randomUUID()}`,
    use: 'sig',
  }));
}

function resourceServer(_, resource) {
  const wanted = resource.slice(RESOURCES.length);
  const common = { audience: AUDIENCE, scope: 'orders:read orders:write', accessTokenTTL: 300 };
  return wanted === 'opaque'
    ? { ...common, accessTokenFormat: 'opaque' }
    : { ...common, accessTokenFormat: 'jwt', jwt: { sign: { alg: wanted } } };
}

function configuration(keys, jwk) {
  return {
    clients: clients(jwk),
    jwks: { keys },
    scopes: ['openid', 'orders:read', 'orders:write'],
    cookies: { keys: ['of-no-use-outside-this-process'] },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      dPoP: { enabled: true },
      introspection: { enabled: true },
      jwtIntrospection: { enabled: true },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        getCertificate: (ctx) => ctx.socket.getPeerX509Certificate?.()?.toString(),
      },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: resourceServer,
        defaultResource: () => `${RESOURCES}RS256`,
        useGrantedResource: () => true,
      },
      revocation: { enabled: true },
    },
  };
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const given = JSON.parse((await lines.next()).value);

let answer;
const asked = (request, response) => answer(request, response);
const plain = await listening(createServer(asked));
// Which certificate a client has is all that counts; nobody has signed it but itself.
const tls = { cert: given.certificate, key: given.key, requestCert: true, rejectUnauthorized: false };
const secured = await listening(createTlsServer(tls, asked));

const issuer = `http://${HOST}:${plain}`;
let keys;
function rotate(published) {
  const fresh = newKeys();
  answer = new Provider(issuer, configuration([...fresh, ...published], given.client)).callback();
  keys = fresh;
}

rotate([]);
console.log(`${issuer} https://${HOST}:${secured}`);
for await (const command of lines) {
  rotate(command === 'rotate+' ? keys : []);
  console.log('done');
}
process.exit(0);
