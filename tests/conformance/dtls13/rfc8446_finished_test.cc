// Finished proves that both sides have the same transcript and keys (RFC 8446 section 4.4.4).
#include "conformance/dtls13/vocabulary.h"

namespace sluice::test {
namespace {

constexpr std::size_t kVerifyDataSize = 32;  // of the suites with SHA-256, the first choice

// A Finished with the right keys and the wrong verify_data. It comes before the genuine one.
Buffer wrong_finished(Peer& from, unsigned seq) {
  return sealed(from, kHandshakeEpoch13, ContentType::handshake,
                message_of(HandshakeType::finished, seq, counted(kVerifyDataSize)));
}

// "Recipients of Finished messages MUST verify that the contents are correct and if incorrect MUST
// terminate the connection with a \"decrypt_error\" alert."
TEST(Rfc8446_4_4_4, AWrongFinishedOfTheServersIsFatal) {
  dtls::ConfigOptions options = small_options13();
  options.peer_authentication = dtls::PeerAuthentication::none;
  Pair pair(small_options13(), options);
  pair.flight(pair.client);
  // ServerHello, EncryptedExtensions, Certificate, CertificateVerify: Finished is message 4.
  const Buffer genuine_end = hold_back_the_last(pair.server, pair.client);
  pair.client.receive(wrong_finished(pair.server, 4), {});
  pair.client.receive(genuine_end, {});
  EXPECT_FALSE(pair.client.connected);
  EXPECT_TRUE(failed(pair.client, Errc::bad_finished, Alert::decrypt_error, pair.server));
}

TEST(Rfc8446_4_4_4, AWrongFinishedOfTheClientsIsFatal) {
  dtls::ConfigOptions options = options13();
  options.peer_authentication = dtls::PeerAuthentication::none;
  Pair pair(options13(), options);
  pair.flight(pair.client);
  pair.flight(pair.server);
  const auto genuine = pair.client.take_datagrams();
  ASSERT_EQ(genuine.size(), 1U) << "Finished alone";
  // The ClientHello was message 0.
  pair.server.receive(wrong_finished(pair.client, 1), {});
  pair.server.receive(genuine.front(), {});
  EXPECT_FALSE(pair.server.connected);
  EXPECT_TRUE(failed(pair.server, Errc::bad_finished, Alert::decrypt_error, pair.client));
}

TEST(Rfc8446_4_4_4, AFinishedOfAnotherLengthIsFatal) {
  for (const std::size_t size : {std::size_t{0}, kVerifyDataSize - 1, kVerifyDataSize + 1}) {
    dtls::ConfigOptions options = options13();
    options.peer_authentication = dtls::PeerAuthentication::none;
    Pair pair(options13(), options);
    pair.flight(pair.client);
    pair.flight(pair.server);
    pair.client.take_datagrams();
    pair.server.receive(sealed(pair.client, kHandshakeEpoch13, ContentType::handshake,
                               message_of(HandshakeType::finished, 1, counted(size))),
                        {});
    EXPECT_TRUE(pair.server.error) << size;
    EXPECT_FALSE(pair.server.connected) << size;
  }
}

}  // namespace
}  // namespace sluice::test
