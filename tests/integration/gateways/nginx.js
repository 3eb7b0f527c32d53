// Asks the provider about the token of each request (RFC 7662), and signs what it was told (HMAC v1).
import crypto from 'crypto';

const SERVICE_ACCOUNT = 'service-account-';

async function admit(r) {
    const token = bearer(r);
    const told = token && await introspected(r, token);
    if (!told) {
        r.headersOut['WWW-Authenticate'] = token ? 'Bearer error="invalid_token"' : 'Bearer';
        r.return(401);
        return;
    }
    tell(r, told);
    r.internalRedirect('@app');
}

function bearer(r) {
    const match = /^Bearer ([A-Za-z0-9._~+\/-]+=*)$/.exec(r.headersIn.Authorization || '');
    return match && match[1];
}

async function introspected(r, token) {
    const answer = await r.subrequest('/.introspect', { method: 'POST', body: `token=${encodeURIComponent(token)}` });
    if (answer.status !== 200) {
        throw new Error(`introspection answered ${answer.status}`);
    }
    const told = JSON.parse(answer.responseText);
    return told.active === true ? told : null;
}

function tell(r, told) {
    const service = serviceName(told);
    const seconds = String(Math.floor(Date.now() / 1000));
    const caller = service || told.sub;
    const set = {
        session: told.sid,
        client: told.client_id || told.azp,
        user: service ? '' : told.sub,
        username: service ? '' : told.preferred_username || told.username,
        email: service ? '' : told.email,
        user_roles: service ? '' : roles(told),
        user_scopes: told.scope,
        service: service,
        service_authenticated: service ? 'true' : '',
        service_roles: service ? roles(told) : '',
        at: seconds,
        signature: signature(r, caller, told.sid || '', seconds),
    };
    for (const name in set) {
        r.variables[`caller_${name}`] = set[name] || '';
    }
}

function serviceName(told) {
    const name = told.preferred_username || told.username || '';
    if (!told.sub || (told.client_id && name === SERVICE_ACCOUNT + told.client_id)) {
        return told.client_id;
    }
    return '';
}

// Roles of the realm, and as client:role those of its clients.
function roles(told) {
    const all = told.realm_access ? told.realm_access.roles.slice() : [];
    const clients = told.resource_access || {};
    for (const client in clients) {
        clients[client].roles.forEach((role) => all.push(`${client}:${role}`));
    }
    return all.join(',');
}

function signature(r, caller, session, seconds) {
    const path = r.variables.request_uri.split('?')[0];
    const signed = [caller, session, seconds, r.method, path].join('|');
    return crypto.createHmac('sha256', r.variables.signing_key).update(signed).digest('base64');
}

export default { admit };
