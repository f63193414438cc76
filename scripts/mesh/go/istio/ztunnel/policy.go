package main

import (
	"net/netip"
	"strings"

	"istio.io/istio/pkg/workloadapi"
	"istio.io/istio/pkg/workloadapi/security"
)

// arrival is one connection to a pod. `source` is empty when the peer has no certificate.
type arrival struct {
	source      string
	from        netip.Addr
	destination netip.AddrPort
}

// isAllowed asks the policies of a workload, in ztunnel's order: a DENY that matches, no ALLOW at all, an ALLOW that matches.
func (m *mesh) isAllowed(workload *workloadapi.Workload, by arrival) bool {
	isAllowing, isNamed := false, false
	for key, policy := range m.policies {
		if policy.DryRun || !applies(policy, key, workload) {
			continue
		}
		isMatch := matchesAnyGroup(policy.Groups, by)
		if policy.Action == security.Action_DENY && isMatch {
			return false
		}
		if policy.Action == security.Action_ALLOW {
			isAllowing = true
			isNamed = isNamed || isMatch
		}
	}
	return !isAllowing || isNamed
}

func applies(policy *security.Authorization, key string, workload *workloadapi.Workload) bool {
	switch policy.Scope {
	case security.Scope_GLOBAL:
		return true
	case security.Scope_NAMESPACE:
		return policy.Namespace == workload.Namespace
	}
	for _, name := range workload.AuthorizationPolicies {
		if name == key {
			return true
		}
	}
	return false
}

// Groups are joined by OR, the clauses of a group by AND, the matches of a clause by OR.
func matchesAnyGroup(groups []*security.Group, by arrival) bool {
	for _, group := range groups {
		if matchesEveryClause(group.Rules, by) {
			return true
		}
	}
	return false
}

func matchesEveryClause(clauses []*security.Rules, by arrival) bool {
	for _, clause := range clauses {
		isMatch := len(clause.Matches) == 0
		for _, match := range clause.Matches {
			isMatch = isMatch || matchesAll(match, by)
		}
		if !isMatch {
			return false
		}
	}
	return true
}

func matchesAll(match *security.Match, by arrival) bool {
	principal := strings.TrimPrefix(by.source, "spiffe://")
	namespace, account := "", ""
	if parts := strings.Split(principal, "/"); len(parts) == 5 {
		namespace, account = parts[2], parts[4]
	}
	text := func(value string) func(*security.StringMatch) bool {
		return func(pattern *security.StringMatch) bool { return matchesText(pattern, value) }
	}
	isAccount := func(one *security.ServiceAccountMatch) bool {
		return by.source != "" && one.Namespace == namespace && one.ServiceAccount == account
	}
	in := func(address netip.Addr) func(*security.Address) bool {
		return func(block *security.Address) bool {
			network, ok := netip.AddrFromSlice(block.Address)
			return ok && netip.PrefixFrom(network, int(block.Length)).Contains(address)
		}
	}
	isPort := func(port uint32) bool { return port == uint32(by.destination.Port()) }
	return !isEmpty(match) &&
		holds(match.DestinationIps, match.NotDestinationIps, in(by.destination.Addr())) &&
		holds(match.SourceIps, match.NotSourceIps, in(by.from)) &&
		holds(match.DestinationPorts, match.NotDestinationPorts, isPort) &&
		holds(match.ServiceAccounts, match.NotServiceAccounts, isAccount) &&
		holds(match.Principals, match.NotPrincipals, text(principal)) &&
		holds(match.Namespaces, match.NotNamespaces, text(namespace))
}

// isEmpty: ztunnel takes a match that names nothing as one that nothing fulfils.
func isEmpty(match *security.Match) bool {
	return len(match.Namespaces)+len(match.NotNamespaces)+len(match.ServiceAccounts)+len(match.NotServiceAccounts)+
		len(match.Principals)+len(match.NotPrincipals)+len(match.SourceIps)+len(match.NotSourceIps)+
		len(match.DestinationIps)+len(match.NotDestinationIps)+len(match.DestinationPorts)+len(match.NotDestinationPorts) == 0
}

func holds[T any](positive, negative []T, is func(T) bool) bool {
	isMatch := len(positive) == 0
	for _, one := range positive {
		isMatch = isMatch || is(one)
	}
	for _, one := range negative {
		isMatch = isMatch && !is(one)
	}
	return isMatch
}

func matchesText(pattern *security.StringMatch, value string) bool {
	switch kind := pattern.MatchType.(type) {
	case *security.StringMatch_Exact:
		return value == kind.Exact
	case *security.StringMatch_Prefix:
		return strings.HasPrefix(value, kind.Prefix)
	case *security.StringMatch_Suffix:
		return strings.HasSuffix(value, kind.Suffix)
	case *security.StringMatch_Presence:
		return value != ""
	}
	return false
}
