// What BoringSSL's runner (docs/bogo.md) found, each as a case of the rule behind it.
#include <gtest/gtest.h>

#include <algorithm>

#include "conformance/dtls12/vocabulary.h"

namespace sluice::test {
namespace {

using dtls::message::kHandshakeHeaderSize;

constexpr std::size_t kMaxPlaintext = 16384;  // RFC 5246 section 6.2.1

// The handshake message with the next message_seq instead of its own.
Buffer with_next_seq(Buffer message) {
  constexpr std::size_t kLowByteAt = 5;
  message[kLowByteAt] = static_cast<std::byte>(std::to_integer<int>(message[kLowByteAt]) + 1);
  return message;
}

// Puts a message of the encrypted epoch before or after Finished, if the flight has one.
void add_beside_finished(Flight& flight, bool before,
                         const std::function<Buffer(const Buffer& finished)>& make) {
  const auto changes =
      std::ranges::find(flight, ContentType::change_cipher_spec, &OutgoingRecord::type);
  if (changes == flight.end()) return;
  const auto finished = std::next(changes);
  OutgoingRecord added = *finished;
  added.contents = make(finished->contents);
  flight.insert(before ? finished : flight.end(), added);
}

TEST(Rfc5246_6_2_1, AnAuthenticRecordAbove2To14BytesIsFatal) {
  for (const Role role : kRoles) {
    SCOPED_TRACE(to_string(role));
    Duel duel(role);
    ASSERT_TRUE(works(duel));
    const std::size_t before = duel.engine.data.size();
    duel.deliver(duel.peer.data(counted(kMaxPlaintext)));
    ASSERT_EQ(duel.engine.data.size(), before + 1);
    EXPECT_EQ(duel.engine.data.back().size(), kMaxPlaintext);

    duel.deliver(duel.peer.data(counted(kMaxPlaintext + 1)));
    EXPECT_EQ(duel.engine.data.size(), before + 1);
    ASSERT_TRUE(duel.engine.error);
    EXPECT_EQ(duel.engine.error->alert, Alert::record_overflow);
  }
}

// RFC 5246 section 7.4.9: no message follows Finished in its flight. One that overtook Finished is
// no better than one that came after it.
TEST(Rfc5246_7_4_9, AMessageAfterFinishedIsFatalWhicheverComesFirst) {
  for (const Role role : kRoles) {
    for (const bool before : {false, true}) {
      SCOPED_TRACE(std::string(to_string(role)) + (before ? ", overtaken" : ", in order"));
      Script script;
      script.edit = [&](Flight& flight) { add_beside_finished(flight, before, with_next_seq); };
      Duel duel(role, script);
      duel.run();
      ASSERT_TRUE(duel.engine.error);
      EXPECT_EQ(duel.engine.error->code, Errc::unexpected_message);
      EXPECT_EQ(duel.engine.error->alert, Alert::unexpected_message);
    }
  }
}

// A request to renegotiate may overtake Finished, too: refused like any other, it ends nothing.
TEST(Rfc5246_7_4_1_1, ARequestToRenegotiateThatOvertookFinishedIsNotFatal) {
  Script script;
  script.edit = [](Flight& flight) {
    add_beside_finished(flight, true, [](const Buffer& finished) {
      Buffer request = with_next_seq(fragment_of(finished, 0, 0));
      request[0] = static_cast<std::byte>(HandshakeType::hello_request);
      std::fill_n(request.begin() + 1, 3, std::byte{0});  // of length 0
      return request;
    });
  };
  Duel duel(Role::client, script);
  EXPECT_TRUE(works(duel));
}

// RFC 5246 appendix E.1: a server answers a version above its own with its own. In DTLS numbers go
// down as versions go up, so 253.255 is the next above 254.0.
TEST(Rfc5246_E_1, AClientHelloOfAHigherMajorVersionGetsTheServersVersion) {
  for (const unsigned version : {0xfefcU, 0xfe00U, 0xfdffU, 0x0100U}) {
    SCOPED_TRACE(version);
    Script script;
    script.client_hello.version = static_cast<ProtocolVersion>(version);
    script.client_hello.extensions.remove(ExtensionType::supported_versions);
    Duel duel(Role::server, script);
    EXPECT_TRUE(works(duel));
  }
}

TEST(Rfc5246_E_1, AClientHelloOfALowerVersionIsRefused) {
  for (const unsigned version : {0xfeffU, 0xfefeU, 0xffffU}) {
    SCOPED_TRACE(version);
    Script script;
    script.client_hello.version = static_cast<ProtocolVersion>(version);
    script.client_hello.extensions.remove(ExtensionType::supported_versions);
    Duel duel(Role::server, script);
    duel.run();
    EXPECT_TRUE(failed(duel, Errc::no_common_version, Alert::protocol_version));
  }
}

// RFC 5705 section 4 reserves some labels; the empty one isn't among them.
TEST(Rfc5705_4, TheEmptyLabelIsALabel) {
  Duel duel(Role::server);
  ASSERT_TRUE(works(duel));
  Buffer key(40);
  ASSERT_TRUE(duel.engine.connection().export_keying_material(key, "", std::nullopt));
  EXPECT_EQ(key, duel.peer.exported("", key.size()));
}

// RFC 6347 section 4.2.4: a Finished that comes again gets our last flight again, once, however
// many fragments it comes in.
TEST(Rfc6347_4_2_4, AFinishedRepeatedInFragmentsIsAnsweredOnce) {
  Buffer finished;
  Script script;
  script.edit = [&](Flight& flight) { finished = flight.back().contents; };
  Duel duel(Role::server, script);
  duel.run();
  ASSERT_TRUE(duel.engine.connected);
  ASSERT_EQ(type_of(finished), HandshakeType::finished);
  for (std::uint32_t repeated = 1; repeated <= 3; ++repeated) {
    duel.now += 1s;
    for (std::size_t at = 0; at + kHandshakeHeaderSize < finished.size(); ++at) {
      duel.deliver({ContentType::handshake, kFirstEncryptedEpoch12, fragment_of(finished, at, 1)});
    }
    EXPECT_EQ(duel.engine.connection().statistics().flights_retransmitted, repeated);
  }
}

}  // namespace
}  // namespace sluice::test
