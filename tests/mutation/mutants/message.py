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
        ("if (!reader.complete() || !types.are_distinct()) return std::nullopt;",
         "if (!reader.complete()) return std::nullopt;", "an extension occurs once"),
        ("if (!types.add(type)) return std::nullopt;", "static_cast<void>(types.add(type));",
         "the number of extensions is limited"),
    ),
    *mutants_of(
        "dtls/src/message/key_share.cc", MESSAGE,
        ("if (entries.vector16().empty() || !groups.add(group)) return std::nullopt;",
         "entries.vector16(); if (!groups.add(group)) return std::nullopt;", "a key share is not empty"),
        ("if (entries.vector16().empty() || !groups.add(group)) return std::nullopt;",
         "if (entries.vector16().empty()) return std::nullopt; static_cast<void>(groups.add(group));",
         "the number of shares is limited"),
        ("if (!entries.complete() || !groups.are_distinct()) return std::nullopt;",
         "if (!entries.complete()) return std::nullopt;", "a client sends one share for a group"),
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
        "dtls/src/message/server_name.h", f"{MESSAGE} both_versions_conformance_test",
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
        ("return level == AlertLevel::fatal ||", "return", "a fatal alert ends a connection of DTLS 1.2"),
        ("description == Alert::close_notify ||", "", "close_notify ends a connection"),
        ("(speaks13 && description != Alert::user_canceled);", "false;", "DTLS 1.3 ignores the level of an alert"),
        ("(speaks13 && description != Alert::user_canceled);", "speaks13;", "user_canceled ends nothing in DTLS 1.3"),
    ),
    *mutants_of(
        "dtls/src/message/use_srtp.h", MESSAGE,
        ("profiles.empty() || profiles.size() % 2 != 0", "profiles.size() % 2 != 0", "use_srtp names a profile"),
    ),
    *mutants_of(
        "dtls/src/message/code_list_extension.h", MESSAGE,
        ("codes.empty() || codes.size() % 2 != 0", "codes.size() % 2 != 0", "a list of codes is not empty"),
    ),
    *mutants_of(
        "dtls/src/wire/distinct_codes.h", f"dtls_wire_test {MESSAGE}",
        ("return std::ranges::adjacent_find(codes) == codes.end();", "return true;", "a code that occurs twice is found"),
        ("std::ranges::sort(codes);", "", "a code that occurs twice is found wherever it is"),
    ),
    *mutants_of(
        "dtls/src/wire/writer.h", f"dtls_wire_test dtls_property_test encode_fuzz {MESSAGE}",
        ("if (exceeds(value, width)) fail();", "", "an integer is not truncated"),
        ("if (exceeds(size, width) || size < bounds.min", "if (size < bounds.min", "the length of a vector is not truncated"),
        ("|| size < bounds.min ||", "||", "a vector is not too short"),
        ("|| size > bounds.max) return fail();", ") return fail();", "a vector is not too long"),
        ("if (growth_ == Growth::refused && size > out_.capacity() - out_.size()) fail();", "",
         "a buffer with secrets is not reallocated"),
        ("out_.resize(start_);", "", "a writer that failed leaves nothing"),
    ),
]
