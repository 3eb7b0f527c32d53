-- Says whose the token was that jwt_authn has verified, and signs that for this very request (RFC 9421, hmac-sha256).
-- Envoy gives Lua no HMAC, so SHA-256 (FIPS 180-4) is written out.
local bit = require("bit")
local band, bnot, bxor = bit.band, bit.bnot, bit.bxor
local ror, rshift, tobit = bit.ror, bit.rshift, bit.tobit

local ORIGIN, KEYID, TAG, KEY = "@ORIGIN@", "@KEYID@", "@TAG@", "@KEY@"
local LIFETIME = 30 -- seconds
local OURS = {
  "x-token-verified", "x-auth-source", "x-session-id", "x-client-id", "x-user-id", "x-username", "x-user-email",
  "x-user-roles", "x-user-scopes", "x-service-name", "x-service-authenticated", "x-service-roles",
}

-- The first 32 bits of the fractional parts of the cube roots, or square roots, of the first primes.
local function fraction(value)
  return tobit(math.floor((value - math.floor(value)) * 2 ^ 32))
end

local ROUNDS, START = {}, {}
do
  local number = 2
  while #ROUNDS < 64 do
    local is_prime = true
    for divisor = 2, math.floor(math.sqrt(number)) do
      if number % divisor == 0 then
        is_prime = false
      end
    end
    if is_prime then
      ROUNDS[#ROUNDS + 1] = fraction(number ^ (1 / 3))
      if #START < 8 then
        START[#START + 1] = fraction(math.sqrt(number))
      end
    end
    number = number + 1
  end
end

local function bytes_of(word)
  return string.char(band(rshift(word, 24), 255), band(rshift(word, 16), 255), band(rshift(word, 8), 255), band(word, 255))
end

local function expanded(block)
  local words = {}
  for i = 1, 16 do
    local a, b, c, d = block:byte(4 * i - 3, 4 * i)
    words[i] = tobit(a * 2 ^ 24 + b * 2 ^ 16 + c * 2 ^ 8 + d)
  end
  for i = 17, 64 do
    local x, y = words[i - 15], words[i - 2]
    local s0 = bxor(ror(x, 7), ror(x, 18), rshift(x, 3))
    local s1 = bxor(ror(y, 17), ror(y, 19), rshift(y, 10))
    words[i] = tobit(words[i - 16] + s0 + words[i - 7] + s1)
  end
  return words
end

local function compress(state, block)
  local words = expanded(block)
  local a, b, c, d, e, f, g, h = unpack(state)
  for i = 1, 64 do
    local s1 = bxor(ror(e, 6), ror(e, 11), ror(e, 25))
    local choice = bxor(band(e, f), band(bnot(e), g))
    local one = tobit(tobit(h + s1 + choice) + ROUNDS[i] + words[i])
    local s0 = bxor(ror(a, 2), ror(a, 13), ror(a, 22))
    local majority = bxor(band(a, b), band(a, c), band(b, c))
    h, g, f, e, d, c, b, a = g, f, e, tobit(d + one), c, b, a, tobit(one + s0 + majority)
  end
  local after = { a, b, c, d, e, f, g, h }
  for i = 1, 8 do
    state[i] = tobit(state[i] + after[i])
  end
end

local function sha256(text)
  local state = { unpack(START) }
  local padded = text .. "\128" .. ("\0"):rep((55 - #text) % 64) .. "\0\0\0\0" .. bytes_of(tobit(#text * 8))
  for at = 1, #padded, 64 do
    compress(state, padded:sub(at, at + 63))
  end
  local digest = {}
  for i = 1, 8 do
    digest[i] = bytes_of(state[i])
  end
  return table.concat(digest)
end

local function with(key, byte)
  return (key:gsub(".", function(one) return string.char(bxor(one:byte(), byte)) end))
end

local function hmac(key, text)
  key = (#key > 64 and sha256(key) or key)
  key = key .. ("\0"):rep(64 - #key)
  return sha256(with(key, 0x5c) .. sha256(with(key, 0x36) .. text))
end

local function said(claims)
  local headers = { ["x-token-verified"] = "true", ["x-auth-source"] = "envoy", ["x-client-id"] = claims.client_id }
  headers["x-user-scopes"] = claims.scope
  if claims.sub == claims.client_id then
    headers["x-service-name"] = claims.client_id
    headers["x-service-authenticated"] = "true"
  else
    headers["x-user-id"] = claims.sub
  end
  return headers
end

function envoy_on_request(handle)
  -- Waits until all of it is there; what was asked for before would be of no use afterwards.
  local body = handle:body()
  local headers = handle:headers()
  for _, name in ipairs(OURS) do
    headers:remove(name)
  end
  for _, name in ipairs({ "authorization", "signature", "signature-input", "content-digest" }) do
    headers:remove(name)
  end
  local token = handle:streamInfo():dynamicMetadata():get("envoy.filters.http.jwt_authn")
  local told = said(token.claims)

  local components = { "@method", "@target-uri" }
  local lines = { '"@method": ' .. headers:get(":method"), '"@target-uri": ' .. ORIGIN .. headers:get(":path") }
  local function cover(name, value)
    headers:replace(name, value)
    components[#components + 1] = name
    lines[#lines + 1] = '"' .. name .. '": ' .. value
  end
  for _, name in ipairs(OURS) do
    if told[name] then
      cover(name, told[name])
    end
  end
  if body and body:length() > 0 then
    cover("content-digest", "sha-256=:" .. handle:base64Escape(sha256(body:getBytes(0, body:length()))) .. ":")
  end

  local now = math.floor(handle:timestamp() / 1000)
  local parameters = string.format(
    '("%s");created=%d;expires=%d;nonce="%s";keyid="%s";alg="hmac-sha256";tag="%s"',
    table.concat(components, '" "'), now, now + LIFETIME, headers:get("x-request-id"), KEYID, TAG
  )
  lines[#lines + 1] = '"@signature-params": ' .. parameters
  headers:replace("signature-input", "gateway=" .. parameters)
  headers:replace("signature", "gateway=:" .. handle:base64Escape(hmac(KEY, table.concat(lines, "\n"))) .. ":")
end
