"""Decoders of messages and extensions."""

from mutant import mutants_of

MESSAGE = "dtls_message_test dtls13_conformance_test dtls12_conformance_test"

MUTANTS = [
    *mutants_of(
        "dtls/src/message/client_hello.cc", MESSAGE,
        ("hello.session_id.size() > wire::kMaxSessionId", "false", "a session ID has at most 32 bytes"),
        ("hello.compression_methods.empty()", "false", "a ClientHello has a compression method"),
        ("suites.size() % 2 != 0", "false", "cipher suites have two bytes"),
    ),
    *mutants_of(
        "dtls/src/message/extension_block.cc", MESSAGE,
        ("std::find(seen.begin(), seen.begin() + count, type) != seen.begin() + count", "false",
         "an extension occurs once"),
    ),
    *mutants_of(
        "dtls/src/message/key_share.cc", MESSAGE,
        ("if (entries.vector16().empty()) return std::nullopt;", "entries.vector16();", "a key share is not empty"),
        ("if (ClientShares(earlier).find(group)) return std::nullopt;", "", "a client sends one share for a group"),
    ),
    *mutants_of(
        "dtls/src/message/pre_shared_key.cc", MESSAGE,
        ("if (identity.empty() || binder.size() < kMinBinder) return std::nullopt;",
         "if (identity.empty()) return std::nullopt;", "a binder has the size of a hash"),
        ("if (!identities.complete() || !binders.complete()) return std::nullopt;",
         "if (!identities.complete()) return std::nullopt;", "there are as many binders as identities"),
        ("if (offered.identities.size() < kMaxIdentities) {", "if (true) {", "the number of PSK identities is limited"),
    ),
    *mutants_of(
        "dtls/src/message/server_name.h", MESSAGE,
        (r"if (text.find('\0') != text.npos) return std::nullopt;", "", "a server name has no null"),
    ),
    *mutants_of(
        "dtls/src/message/handshake_fragment.h", MESSAGE,
        ("if (fragment.header.fragment_offset + fragment.header.fragment_length > fragment.header.length) {",
         "if (false) {", "a fragment ends within its message"),
    ),
    *mutants_of(
        "dtls/src/message/alert.h", MESSAGE,
        ("!known_level) return std::nullopt;", "false) return std::nullopt;", "an alert has a known level"),
    ),
    *mutants_of(
        "dtls/src/message/use_srtp.h", MESSAGE,
        ("profiles.empty() || profiles.size() % 2 != 0", "profiles.size() % 2 != 0", "use_srtp names a profile"),
    ),
    *mutants_of(
        "dtls/src/message/code_list_extension.h", MESSAGE,
        ("codes.empty() || codes.size() % 2 != 0", "codes.size() % 2 != 0", "a list of codes is not empty"),
    ),
]
