// RFC 7627: the extended master secret. RFC 5705: what is exported from it.
#include <gtest/gtest.h>

#include "conformance/dtls12/vocabulary.h"

namespace sluice::test {
namespace {

using dtls::ExtendedMasterSecret;

dtls::ConfigOptions with(ExtendedMasterSecret setting) {
  dtls::ConfigOptions options = test::options();
  options.extended_master_secret = setting;
  return options;
}

Script without_extension() {
  Script script;
  script.client_hello.extensions.remove(ExtensionType::extended_master_secret);
  script.server_hello.extensions.remove(ExtensionType::extended_master_secret);
  return script;
}

// works() compares exporters, so both sides have computed the same kind of secret.
TEST(Rfc7627_5, ItIsUsedWhenBothWantIt) {
  for (const Role role : kRoles) {
    for (const auto setting : {ExtendedMasterSecret::request, ExtendedMasterSecret::require}) {
      Duel duel(role, {}, with(setting));
      ASSERT_TRUE(works(duel));
      EXPECT_TRUE(duel.engine.connected->extended_master_secret);
    }
  }
}

TEST(Rfc7627_5, ItIsNotUsedWhenThePeerDoesNotKnowIt) {
  for (const Role role : kRoles) {
    for (const auto setting : {ExtendedMasterSecret::request, ExtendedMasterSecret::disable}) {
      Duel duel(role, without_extension(), with(setting));
      ASSERT_TRUE(works(duel));
      EXPECT_FALSE(duel.engine.connected->extended_master_secret);
    }
  }
}

// Section 5.2 and 5.3: "MUST abort the handshake", by handshake_failure (section 5).
TEST(Rfc7627_5, WhereItIsRequiredItsAbsenceIsRefused) {
  for (const Role role : kRoles) {
    Duel duel(role, without_extension(), with(ExtendedMasterSecret::require));
    duel.run();
    EXPECT_TRUE(failed(duel, Errc::missing_extended_master_secret, Alert::handshake_failure));
  }
}

TEST(Rfc7627_5, AServerThatDisablesItDoesNotAnswerIt) {
  Duel duel(Role::server, {}, with(ExtendedMasterSecret::disable));
  ASSERT_TRUE(works(duel));
  EXPECT_FALSE(duel.engine.connected->extended_master_secret);
}

TEST(Rfc7627_5_1, ItsDataIsEmpty) {
  for (const Role role : kRoles) {
    Script script;
    script.client_hello.extensions.set(ExtensionType::extended_master_secret, from_hex("00"));
    script.server_hello.extensions.set(ExtensionType::extended_master_secret, from_hex("00"));
    Duel duel(role, script);
    duel.run();
    EXPECT_TRUE(failed(duel, Errc::decode_error, Alert::decode_error));
  }
}

// The triple handshake: who sits between two connections gives both the same randoms and the same
// premaster. The plain master secret is then the same, although the transcripts differ; the
// extended one isn't, and nothing sealed under it can be read.
TEST(Rfc7627_4, TheSecretCoversTheTranscript) {
  for (const bool extended : {true, false}) {
    Script script = extended ? Script{} : without_extension();
    // A byte that nobody judges: a certificate type besides those that matter.
    script.edit = [](Flight& flight) {
      if (flight.size() < 4) return;
      find(flight, HandshakeType::certificate_request)->contents[13] = std::byte{7};
    };
    // Without a certificate of the client there is no signature over the transcript either.
    script.alter = altering(HandshakeType::certificate_request,
                            [](Buffer& body) { body = from_hex("01 01 0002 0401 0000"); });
    Duel duel(Role::client, script);
    bool finished_could_be_read = false;
    try {
      duel.run();
    } catch (const std::runtime_error&) {
      finished_could_be_read = true;  // and it was wrong
    }
    EXPECT_EQ(finished_could_be_read, !extended);
    EXPECT_TRUE(still_waiting(duel));
  }
}

// ---- exporters

TEST(Rfc5705_4, NothingIsExportedBeforeTheEnd) {
  for (const Role role : kRoles) {
    Duel duel(role);
    for (int flight = 0; flight < 2; ++flight) {
      EXPECT_TRUE(still_waiting(duel));  // which asks the exporter
      duel.collect();
      for (Buffer& datagram : duel.peer.take_datagrams()) {
        duel.deliver(std::move(datagram));
        duel.collect();
        if (!duel.engine.connected) {
          EXPECT_TRUE(still_waiting(duel));
        }
      }
    }
    EXPECT_TRUE(works(duel));
  }
}

TEST(Rfc5705_4, AnEmptyContextIsNotAnAbsentOne) {
  Duel duel(Role::client);
  ASSERT_TRUE(works(duel));
  const auto exported = [&](std::string_view label, std::optional<Bytes> context) {
    Buffer out(32);
    EXPECT_TRUE(duel.engine.connection().export_keying_material(out, label, context));
    return out;
  };
  const std::set<Buffer> values{
      exported("EXPORTER-a", std::nullopt), exported("EXPORTER-a", Bytes{}),
      exported("EXPORTER-a", bytes_of("x")), exported("EXPORTER-b", Bytes{})};
  EXPECT_EQ(values.size(), 4U);
}

// "Labels [...] MUST NOT collide with existing PRF labels."
TEST(Rfc5705_4, TheHandshakesOwnLabelsAreRefused) {
  Duel duel(Role::server);
  ASSERT_TRUE(works(duel));
  Buffer out(12);
  for (const auto* const label : {"client finished", "server finished", "master secret",
                                  "key expansion", "extended master secret"}) {
    const auto exported = duel.engine.connection().export_keying_material(out, label, std::nullopt);
    ASSERT_FALSE(exported) << label;
    EXPECT_EQ(exported.error().code, Errc::invalid_argument);
  }
  const Buffer context(65536);
  const auto exported = duel.engine.connection().export_keying_material(out, "EXPORTER-a", context);
  ASSERT_FALSE(exported);
  EXPECT_EQ(exported.error().code, Errc::invalid_argument);
}

TEST(Rfc5705_4, NothingIsExportedAfterTheEndOfTheConnection) {
  for (const Role role : kRoles) {
    Duel duel(role);
    ASSERT_TRUE(works(duel));
    duel.engine.settle(duel.engine.connection().close(duel.now), duel.now);
    Buffer out(12);
    EXPECT_FALSE(duel.engine.connection().export_keying_material(out, "EXPORTER-a", std::nullopt));
    EXPECT_FALSE(duel.engine.connection().srtp_keys());
  }
}

}  // namespace
}  // namespace sluice::test
