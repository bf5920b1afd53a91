"""Resumption: PSKs, tickets, stored sessions."""

from mutant import mutants_of

BOTH = "dtls13_conformance_test dtls12_conformance_test both_versions_conformance_test"
SESSIONS = f"dtls_negotiation_test {BOTH} handshake_test"

MUTANTS = [
    *mutants_of(
        "dtls/src/negotiation/stored_session.cc", SESSIONS,
        ("context.now < session.expires();", "true;", "a session ends with its lifetime"),
        ("if (session.peer.proof == PeerProof::certificate_fingerprint) return false;", "",
         "a session of which only the fingerprint was kept is not resumed"),
        ("session.server_name == context.server_name &&", "", "a session is resumed under its server name"),
        ("(has_proof || !needs_proof) &&", "", "an anonymous session is not resumed where a certificate is required"),
        ("&& is_verified_enough(session, role, context.config);", ";", "a session was verified for the expected name"),
        ("if (!identity.is_consistent()) reader_.fail();", "", "a stored identity is consistent"),
        ("if (reader.u8() != kFormat) return std::nullopt;", "reader.u8();", "a stored session has a known format"),
        ("return session.version == version &&", "return", "a session is resumed in its version"),
        ("return reader.complete() && fits ?", "return fits ?", "a stored session is complete"),
        ("bytes.size() > schedule::HashSecret::capacity()) return reader_.fail();", "false) return reader_.fail();",
         "a stored secret has the size of a hash"),
    ),
    *mutants_of(
        "dtls/src/negotiation/peer_identity.cc", f"dtls_negotiation_test {BOTH}",
        ("return credential.size() == crypto::hash_size(HashAlgorithm::sha256);", "return true;",
         "a fingerprint that was kept has the size of its hash"),
    ),
    *mutants_of(
        "dtls/src/negotiation/psk13.cc", SESSIONS,
        ("if (!crypto::equal(expected->bytes(), offered.binders[chosen.index])) {", "if (false) {",
         "the binder of a PSK is right"),
        ("if (!hello.extensions.is_last(ExtensionType::pre_shared_key)) {", "if (false) {",
         "pre_shared_key is the last extension"),
        ("if (!hello.extensions.has(ExtensionType::psk_key_exchange_modes)) {", "if (false) {",
         "a client with PSKs offers their modes"),
        ("return *has_dhe ? offered : std::nullopt;", "return offered;", "PSKs are used with (EC)DHE only"),
        ("|| !has_suite(context.config, psk->hash)) return;", ") return;", "a PSK is offered with a suite of its hash"),
        ("if (psk.kind == PskKind::resumption) return resume_peer(context, psk.peer, role);", "",
         "a resumed session has the identity of the session before"),
    ),
    *mutants_of(
        "dtls/src/handshake12/resume12.cc", f"dtls12_conformance_test {SESSIONS}",
        ("if (negotiated.suite.id != stored.cipher_suite) {", "if (false) {", "a session keeps its cipher suite"),
        ("if (!negotiated.extended_master_secret) {", "if (false) {",
         "a server that resumes has the extended master secret"),
        ("if (!hello.extensions.has(ExtensionType::extended_master_secret)) {", "if (false) {",
         "a client that resumes has the extended master secret"),
        ("!hello.cipher_suites.contains(session.cipher_suite)) {", "false) {",
         "the suite of a session is one that the client offers"),
        ("std::ranges::equal(hello.session_id, offer.session_id);", "true;",
         "a ServerHello that resumes repeats the session ID"),
        ("offer.session12 && !hello.session_id.empty() &&", "offer.session12 &&",
         "an empty session ID resumes nothing"),
        ("resume_peer(context, stored.peer, Role::client);", "", "a client that resumes knows who the server is"),
        ("if (needs_encrypt_then_mac(*suite) && !hello.extensions.has(ExtensionType::encrypt_then_mac)) {",
         "if (false) {", "a session with CBC resumes with encrypt-then-MAC"),
    ),
    *mutants_of(
        "dtls/src/handshake12/ticket12.cc", f"dtls12_conformance_test {SESSIONS}",
        ("stored.lifetime = std::min(age + resumption.ticket_lifetime, kMaxLifetime);",
         "stored.lifetime = age + resumption.ticket_lifetime;", "the lifetime of a ticket of DTLS 1.2 is limited"),
        ("if (context.config.resumption == Resumption::none || !is_extended) return;",
         "if (context.config.resumption == Resumption::none) return;",
         "a session without the extended master secret is not kept"),
        ("if (ticket && !ticket->empty()) {", "if (false) {", "the server's session_ticket is empty"),
    ),
    *mutants_of(
        "dtls/src/handshake13/ticket13.cc", f"dtls13_conformance_test {SESSIONS}",
        ("lifetime == std::chrono::seconds::zero() ||", "", "a ticket with a lifetime of 0 is discarded"),
        ("std::min(message.lifetime, message::NewSessionTicket13::kMaxLifetime);", "message.lifetime;",
         "the lifetime of a ticket of DTLS 1.3 is limited"),
        ("if (message.ticket.size() > StoredSession::kMaxTicket) return std::nullopt;", "",
         "the size of a ticket is limited"),
        ("stored.peer = session.resumption->peer;", "", "a ticket holds the identity of the peer"),
    ),
]
