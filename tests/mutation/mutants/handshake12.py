"""The checks of DTLS 1.2's handshake."""

from mutant import mutants_of

TESTS = "dtls12_conformance_test handshake_test libssl_test both_versions_conformance_test"

MUTANTS = [
    *mutants_of(
        "dtls/src/handshake12/session12.cc", TESTS,
        ("if (!crypto::equal(*expected, finished->verify_data)) {", "if (false) {",
         "the peer's Finished of DTLS 1.2 is right"),
        ("if (!negotiated.extended_master_secret) {", "if (true) {", "the extended master secret is used"),
        ("auto at = std::ranges::copy(randoms.client, data.begin()).out;",
         "auto at = data.begin() + static_cast<std::ptrdiff_t>(randoms.client.size());",
         "the client's random is signed"),
    ),
    *mutants_of(
        "dtls/src/handshake12/client12.cc", TESTS,
        ("if (certificate->chain.empty()) {", "if (false && certificate->chain.empty()) {", "a server has a certificate"),
        ("if (!authenticates(state.negotiated.suite.key_exchange, key->type())) {", "if (false) {",
         "the server's key is of the suite's kind"),
        ("if (!contains(context.config.signature_schemes, exchange->scheme) ||", "if (",
         "the server's signature scheme was offered"),
        ("!crypto::can_sign12(exchange->scheme, state.peer.type())) {", "false) {",
         "the server's signature scheme fits its key"),
        ("auto done = state.peer.verify(context.library, exchange->scheme, signed_data, exchange->signature);",
         "Result<void> done;", "the server's key exchange is signed"),
        ("if (!contains(offered, group)) {", "if (false) {", "the server's group was offered"),
    ),
    *mutants_of(
        "dtls/src/handshake12/server12.cc", TESTS,
        ("if (requires_certificate(context.config)) {", "if (false) {", "a required certificate is not empty in DTLS 1.2"),
        ("if (!contains(context.config.signature_schemes, verify->scheme) ||", "if (",
         "the client's signature scheme was offered"),
        ("auto done = state.peer.verify(context.library, verify->scheme, context.transcript.messages(), verify->signature);",
         "Result<void> done;", "the client's CertificateVerify is right in DTLS 1.2"),
        ("if (state.peer) return Next(WaitCertificateVerify{", "if (false) return Next(WaitCertificateVerify{",
         "a client with a certificate sends CertificateVerify"),
        ("auto done = check_finished(context, session, Role::client, incoming);",
         "auto done = context.transcript.add(incoming.encoding);", "the server looks at the client's Finished"),
    ),
    *mutants_of(
        "dtls/src/handshake12/hello12.cc", TESTS,
        ("if (renegotiation && !message::is_initial_renegotiation_info(*renegotiation)) {", "if (false) {",
         "renegotiation_info is empty"),
        ("if (formats && !message::has_uncompressed_format(*formats)) {", "if (false) {",
         "a peer takes uncompressed points"),
        ("if (!extended && config.extended_master_secret == ExtendedMasterSecret::require) {", "if (false) {",
         "a required extended master secret is there"),
        ("if (needs_encrypt_then_mac(suite) == data.has_value()) return {};", "return {};",
         "a CBC suite comes with encrypt-then-MAC"),
        ("std::ranges::copy(message::kDowngradeTo12, random.end() - message::kDowngradeTo12.size());", "",
         "a server that could do DTLS 1.3 marks its random"),
        ("if (!suite || !is_suite_offered(context.config, suite->id) ||", "if (!suite ||",
         "the server's suite is one of the Config"),
        ("if (hello.compression_method != 0) {", "if (false) {", "the server chooses no compression"),
        ("if (!solicited) return fatal(", "if (false) return fatal(", "the server answers what was sent"),
        ("if (!contains(hello.compression_methods, kNullCompression)) {", "if (false) {",
         "the client offers no compression"),
        ("if (extended && !extended->empty()) {", "if (false) {", "extended_master_secret is empty"),
    ),
    *mutants_of(
        "dtls/src/handshake12/server_psk12.cc", TESTS,
        ("if (std::ranges::equal(known.identity(), exchange->identity)) {", "if (true) {",
         "a PSK is found by its identity"),
        ("if (auto filled = context.library.random(key.bytes()); !filled) return forward_error(filled);", "",
         "an unknown PSK identity gets a random key"),
    ),
]
