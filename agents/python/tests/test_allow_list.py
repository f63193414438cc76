import unittest

from waywarden_agent import ActorChain, AllowListError, running_for

CASES = [
    ("a listed host", ["insurance.svc"], "http://insurance.svc/x", True),
    ("any port of a listed host", ["insurance.svc"], "http://insurance.svc:8080", True),
    ("a listed port", ["insurance.svc:8080"], "http://insurance.svc:8080/", True),
    ("a default port", ["insurance.svc:443"], "https://insurance.svc", True),
    ("upper case", ["Insurance.svc"], "HTTP://INSURANCE.svc", True),
    ("a name with its final dot", ["insurance.svc"], "http://insurance.svc./", True),
    ("a host below a suffix", [".cluster.local"], "http://a.b.cluster.local", True),
    ("a listed address", ["10.96.0.10:8080"], "http://10.96.0.10:8080", True),
    ("a listed IPv6 address", ["[::1]:80"], "http://[::1]/", True),
    ("another port", ["insurance.svc:8080"], "http://insurance.svc:80", False),
    ("another host", ["insurance.svc"], "http://example.com", False),
    ("a host that ends alike", [".cluster.local"], "http://evilcluster.local", False),
    ("the suffix itself", [".cluster.local"], "http://cluster.local", False),
    ("a listed name in front", [".cluster.local"], "http://a.cluster.local.example.com", False),
    ("a host in the user part", ["insurance.svc"], "http://insurance.svc@a.com", False),
    ("a host behind a user part", ["insurance.svc"], "http://a.com@insurance.svc", False),
    ("a host behind a backslash", ["insurance.svc"], "http://a.com\\@insurance.svc", False),
    ("a path with a backslash", ["insurance.svc"], "http://insurance.svc\\.a.com/", False),
    ("a line break", ["insurance.svc"], "http://insurance.svc/\n", False),
    ("an unlisted address", [".cluster.local"], "http://10.96.0.10", False),
    ("another scheme", ["insurance.svc"], "ftp://insurance.svc", False),
    ("no URL", ["insurance.svc"], "insurance.svc", False),
    ("an empty list", [], "http://insurance.svc", False),
]

TARGETS = [
    ("insurance.svc:8080", True),
    ("dns:///insurance.svc:8080", True),
    ("dns:insurance.svc:8080", True),
    ("insurance.svc", False),
    ("insurance.svc:8080,a.com:8080", False),
    ("unix:/tmp/insurance.svc:8080", False),
    ("xds:///insurance.svc:8080", False),
    ("a.com:8080", False),
]


class AllowListTest(unittest.TestCase):
    def test_sends_the_chain_to_listed_urls_only(self) -> None:
        for name, allow, url, want in CASES:
            with self.subTest(name), running_for("clerk"):
                self.assertEqual(ActorChain(allow).headers_for(url), {"actor-chain": "clerk"} if want else {})

    def test_sends_the_chain_to_listed_grpc_targets_only(self) -> None:
        chain = ActorChain(["insurance.svc:8080"])
        for target, want in TARGETS:
            with self.subTest(target), running_for("clerk"):
                metadata = chain.metadata_for(target, [("actor-chain", "old"), ("a", "b")])
                self.assertEqual(metadata, [("a", "b"), ("actor-chain", "clerk")] if want else [("a", "b")])

    def test_refuses_entries_that_say_too_much_or_nothing(self) -> None:
        for entry in ["", "*", ".", ".com", ".0.10", "http://a.svc", "a.svc/x", "*.a.svc", "a.svc:", "a b"]:
            with self.subTest(entry), self.assertRaises(AllowListError):
                ActorChain([entry])

    def test_refuses_a_string_in_place_of_a_list(self) -> None:
        with self.assertRaises(AllowListError):
            ActorChain("insurance.svc")
