// A certified OpenID provider on loopback, for as long as the pipe to it is open. It prints its address in one line;
// each line that it reads is a command, answered with one line:
//   rotate   sign with new keys from now on, and publish them alone
//   rotate+  sign with new keys from now on, and publish the old ones beside them
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
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

const CLIENTS = [
  {
    client_id: 'billing',
    client_secret: 'billing-secret-for-tests-alone',
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    scope: 'orders:read orders:write',
  },
  {
    client_id: 'orders-api',
    client_secret: 'orders-api-secret-for-tests-alone',
    grant_types: [],
    redirect_uris: [],
    response_types: [],
  },
];

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

function configuration(keys) {
  return {
    clients: CLIENTS,
    jwks: { keys },
    scopes: ['openid', 'orders:read', 'orders:write'],
    cookies: { keys: ['of-no-use-outside-this-process'] },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      introspection: { enabled: true },
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

let keys = newKeys();
let answer;
const server = createServer((request, response) => answer(request, response));
server.listen(0, HOST, () => {
  const issuer = `http://${HOST}:${server.address().port}`;
  const serve = (published) => {
    answer = new Provider(issuer, configuration(published)).callback();
  };
  serve(keys);
  console.log(issuer);

  const commands = createInterface({ input: process.stdin });
  commands.on('line', (command) => {
    const fresh = newKeys();
    serve(command === 'rotate+' ? [...fresh, ...keys] : fresh);
    keys = fresh;
    console.log('done');
  });
  commands.on('close', () => process.exit(0));
});
