# The decision of the benchmark in Rego: the holder of a chain that we signed, everyone who acted before it, and the user
# must each be permitted. It hands on the chain that it was shown: it signs nothing, and keeps no record.
package waywarden.bench

import rego.v1

default result := {"allowed": false, "http_status": 403}

result := {"allowed": true, "headers": {"actor-chain": token}} if {
	target
	caller_permitted
	every actor in actors {
		permitted("delegator", actor)
	}
	some group in claims.tctx.groups
	permitted("subject", group)
	not forbidden
}

headers := input.attributes.request.http.headers

token := headers["actor-chain"]

peer := split(headers["x-forwarded-client-cert"], ";URI=")[1]

# Signature, issuer, holder and times at once.
claims := payload if {
	[valid, _, payload] := io.jwt.decode_verify(token, {
		"cert": data.bench.jwks,
		"alg": "ES256",
		"iss": data.bench.issuer,
		"aud": peer,
	})
	valid
	payload.tctx.ceil > time.now_ns() / 1000000000
}

actors := [actor | some path in [["sub"], ["act", "sub"], ["act", "act", "sub"], ["act", "act", "act", "sub"]]
	actor := object.get(claims.act, path, null)
	actor != null
]

address := sprintf("%s:%d", [socket.address, socket.portValue]) if {
	socket := input.attributes.destination.address.socketAddress
}

service := data.bench.addresses[address]

target := patient if {
	input.attributes.request.http.method == "GET"
	["", "patients", patient] = split(input.attributes.request.http.path, "/")
	patient != ""
}

caller_permitted if permitted("caller", peer)

permitted(role, principal) if {
	some permit in data.bench.permits[service]
	permit.role == role
	permit.principal == principal
}

forbidden if not count({"billing", "clinicians"} & {group | some group in claims.tctx.groups}) > 0
